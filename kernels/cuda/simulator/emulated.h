// The kernels of this project as host code: what the emulator's library exports.
#pragma once

#include <string>

struct EmulatedKernel {
  const char* name;
  int parameters;
  const unsigned* sizes;  // bytes of each parameter
  void (*launch)(const unsigned grid[3], const unsigned block[3], unsigned long shared,
                 void** parameters);
};

// Opens the library of this path; false, and why on stderr, if that cannot be.
bool openEmulated(const std::string& path);

// The kernel of this name; null if there is none.
const EmulatedKernel* emulatedKernel(const char* name);
