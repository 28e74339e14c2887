// Runs a kernel so that a fault inside it breaks the context and not the process.
#pragma once

#include <functional>

int guarded(const std::function<void()>& kernel);
