#include "emulated.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstring>

namespace {
const EmulatedKernel* kernels;
int count;
}  // namespace

bool openEmulated(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  using Table = const EmulatedKernel* (*)(int*);
  auto table =
      library == nullptr ? nullptr
                         : reinterpret_cast<Table>(dlsym(library, "millrace_cuda_kernels"));
  if (table == nullptr) {
    fprintf(stderr, "simulated driver: %s\n", dlerror());
    return false;
  }
  kernels = table(&count);
  return true;
}

const EmulatedKernel* emulatedKernel(const char* name) {
  for (int i = 0; i < count; i++) {
    if (strcmp(kernels[i].name, name) == 0) {
      return &kernels[i];
    }
  }
  return nullptr;
}
