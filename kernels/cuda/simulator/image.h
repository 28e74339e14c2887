// Kernel images as the driver takes them: cubins (ELF for one architecture) and PTX.
#pragma once

#include <string>
#include <vector>

// Finds the kernels that an image holds; refuses it where the simulated card or driver would.
int readImage(const void* image, std::vector<std::string>* kernels);
