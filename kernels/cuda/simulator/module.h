// Modules with their kernels.
#pragma once

// Unloads them all, as the end of the context does.
void dropModules();
