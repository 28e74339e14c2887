// Modules and launches: an image says which kernels it holds, the emulator's library runs them.
#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulated.h"
#include "fault.h"
#include "image.h"
#include "machine.h"
#include "module.h"
#include "stream.h"

namespace {
constexpr int MOST_SHARED = 227 << 10;
constexpr int SHARED_WITHOUT_ASKING = 48 << 10;
constexpr int SHARED_ATTRIBUTE = 8;  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES

constexpr int OVERLAP_ATTRIBUTE = 6;  // CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION

struct Function {
  const EmulatedKernel* kernel;
  int mostShared = SHARED_WITHOUT_ASKING;
};

struct Module {
  std::vector<std::string> names;
  std::map<std::string, std::unique_ptr<Function>> functions;
};

std::map<void*, std::unique_ptr<Module>>& modules() {
  static std::map<void*, std::unique_ptr<Module>> only;
  return only;
}

Function* functionOf(void* handle) {
  for (auto& [key, module] : modules()) {
    for (auto& [name, function] : module->functions) {
      if (function.get() == handle) {
        return function.get();
      }
    }
  }
  return nullptr;
}

struct Launch {
  const EmulatedKernel* kernel;
  unsigned grid[3];
  unsigned block[3];
  size_t shared;
  std::vector<std::vector<char>> arguments;
};

int run(const Launch& launch) {
  std::vector<void*> parameters;
  for (auto& argument : launch.arguments) {
    parameters.push_back(const_cast<char*>(argument.data()));
  }
  long& left = machine().settings.failLaunch;
  if (left > 0 && --left == 0) {
    return machine().settings.launchError;
  }
  return guarded([&] {
    launch.kernel->launch(launch.grid, launch.block, launch.shared, parameters.data());
  });
}

bool fits(const unsigned* grid, const unsigned* block) {
  bool some = grid[0] && grid[1] && grid[2] && block[0] && block[1] && block[2];
  bool gridFits = grid[0] <= 0x7fffffff && grid[1] <= 65535 && grid[2] <= 65535;
  bool blockFits = block[0] <= 1024 && block[1] <= 1024 && block[2] <= 64 &&
                   size_t(block[0]) * block[1] * block[2] <= 1024;
  return some && gridFits && blockFits;
}
}  // namespace

void dropModules() {
  modules().clear();
  machine().counts.modules = 0;
}

DRIVER_CALL cuModuleLoadData(void** module, const void* image) {
  DRIVER_ENTER(enterOutsideCapture);
  REQUIRE(image != nullptr, INVALID_VALUE);
  auto made = std::make_unique<Module>();
  REQUIRE_SUCCESS(readImage(image, &made->names));
  *module = made.get();
  modules()[made.get()] = std::move(made);
  machine().counts.modules++;
  return SUCCESS;
}

DRIVER_CALL cuModuleLoadDataEx(void** module, const void* image, unsigned, int*, void**) {
  return cuModuleLoadData(module, image);
}

DRIVER_CALL cuModuleUnload(void* module) {
  DRIVER_ENTER(enterOutsideCapture);
  REQUIRE(modules().count(module), INVALID_HANDLE);
  REQUIRE_SUCCESS(drainAll());
  modules().erase(module);
  machine().counts.modules--;
  return SUCCESS;
}

DRIVER_CALL cuModuleGetFunction(void** function, void* handle, const char* name) {
  DRIVER_ENTER(enter);
  auto found = modules().find(handle);
  REQUIRE(found != modules().end(), INVALID_HANDLE);
  auto& module = *found->second;
  auto known = std::find(module.names.begin(), module.names.end(), name);
  const EmulatedKernel* kernel = emulatedKernel(name);
  REQUIRE(known != module.names.end() && kernel != nullptr, NOT_FOUND);
  auto& made = module.functions[name];
  if (made == nullptr) {
    made = std::make_unique<Function>();
    made->kernel = kernel;
  }
  *function = made.get();
  return SUCCESS;
}

DRIVER_CALL cuFuncSetAttribute(void* handle, int attribute, int value) {
  DRIVER_ENTER(enter);
  Function* function = functionOf(handle);
  REQUIRE(function != nullptr, INVALID_HANDLE);
  REQUIRE(attribute == SHARED_ATTRIBUTE && value >= 0 && value <= MOST_SHARED, INVALID_VALUE);
  function->mostShared = value;
  return SUCCESS;
}

DRIVER_CALL cuFuncGetAttribute(int* value, int attribute, void* handle) {
  DRIVER_ENTER(enter);
  Function* function = functionOf(handle);
  REQUIRE(function != nullptr, INVALID_HANDLE);
  REQUIRE(attribute == SHARED_ATTRIBUTE, NOT_SUPPORTED);
  *value = function->mostShared;
  return SUCCESS;
}

DRIVER_CALL cuLaunchKernel(void* handle, unsigned gridX, unsigned gridY, unsigned gridZ,
                           unsigned blockX, unsigned blockY, unsigned blockZ, unsigned shared,
                           void* stream, void** parameters, void** extra) {
  DRIVER_ENTER(enter);
  Function* function = functionOf(handle);
  REQUIRE(function != nullptr && isStream(stream), INVALID_HANDLE);
  auto launch = std::make_shared<Launch>(
      Launch{function->kernel, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, {}});
  REQUIRE(fits(launch->grid, launch->block), INVALID_VALUE);
  REQUIRE(int(shared) <= function->mostShared, INVALID_VALUE);
  REQUIRE(extra == nullptr, NOT_SUPPORTED);
  REQUIRE(parameters != nullptr || function->kernel->parameters == 0, INVALID_VALUE);
  for (int i = 0; i < function->kernel->parameters; i++) {
    auto* first = static_cast<char*>(parameters[i]);
    REQUIRE(first != nullptr, INVALID_VALUE);
    launch->arguments.emplace_back(first, first + function->kernel->sizes[i]);
  }
  machine().counts.launches++;
  return submit(stream, function->kernel, [launch] { return run(*launch); });
}

struct LaunchAttribute {  // CUlaunchAttribute
  int id;
  char padding[4];
  char value[64];
};

struct LaunchConfiguration {  // CUlaunchConfig
  unsigned gridX, gridY, gridZ;
  unsigned blockX, blockY, blockZ;
  unsigned shared;
  void* stream;
  const LaunchAttribute* attributes;
  unsigned attributeCount;
};

// Kernels that may overlap wait for each other by themselves, so nothing is to be done about it.
DRIVER_CALL cuLaunchKernelEx(const LaunchConfiguration* configuration, void* function,
                             void** parameters, void** extra) {
  DRIVER_ENTER(enter);
  REQUIRE(configuration != nullptr, INVALID_VALUE);
  auto& c = *configuration;
  REQUIRE(c.attributes != nullptr || c.attributeCount == 0, INVALID_VALUE);
  for (unsigned i = 0; i < c.attributeCount; i++) {
    REQUIRE(c.attributes[i].id == OVERLAP_ATTRIBUTE, NOT_SUPPORTED);
  }
  return cuLaunchKernel(function, c.gridX, c.gridY, c.gridZ, c.blockX, c.blockY, c.blockZ,
                        c.shared, c.stream, parameters, extra);
}
