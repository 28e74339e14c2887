#include "driver.h"

#include <dlfcn.h>

namespace {
constexpr int NO_DRIVER = 999;  // CUDA_ERROR_UNKNOWN

// The one that the process has; a real one has no such symbols.
template <class F>
F* find(const char* name) {
  static void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  return library == nullptr ? nullptr : reinterpret_cast<F*>(dlsym(library, name));
}

using Submit = int(void*, const void*, int (*)(void*), void*, void (*)(void*));
using IsDevice = int(const void*, size_t);
}  // namespace

int submit(void* stream, const void* tag, int (*work)(void*), void* argument, void (*drop)(void*)) {
  auto* call = find<Submit>("millrace_sim_submit");
  if (call == nullptr) {
    drop(argument);
    return NO_DRIVER;
  }
  return call(stream, tag, work, argument, drop);
}

bool isDevice(const void* start, size_t bytes) {
  auto* call = find<IsDevice>("millrace_sim_is_device");
  return call != nullptr && call(start, bytes) != 0;
}
