// Initialisation, devices and their primary contexts.
#include <cstdio>
#include <cstring>

#include "machine.h"
#include "memory.h"
#include "module.h"
#include "stream.h"

namespace {
// Any address that is no null pointer will do as a handle.
char primaryContext;

thread_local void* current;

int attribute(int which, int* value) {
  const Settings& settings = machine().settings;
  switch (which) {
    case 1: *value = 1024; return SUCCESS;               // threads per block
    case 2: case 3: *value = 1024; return SUCCESS;       // block x, y
    case 4: *value = 64; return SUCCESS;                 // block z
    case 5: *value = 0x7fffffff; return SUCCESS;         // grid x
    case 6: case 7: *value = 65535; return SUCCESS;      // grid y, z
    case 8: *value = 48 << 10; return SUCCESS;           // shared memory of a block
    case 10: *value = 32; return SUCCESS;                // warp
    case 16: *value = 4; return SUCCESS;                 // multiprocessors
    case 39: *value = 2048; return SUCCESS;              // threads per multiprocessor
    case 41: *value = 1; return SUCCESS;                 // unified addressing
    case 75: *value = settings.architecture / 10; return SUCCESS;
    case 76: *value = settings.architecture % 10; return SUCCESS;
    case 97: *value = 227 << 10; return SUCCESS;         // shared memory of a block, on request
    default: return INVALID_VALUE;
  }
}

int deviceOf(int device) {
  REQUIRE(machine().initialized, NOT_INITIALIZED);
  return device >= 0 && device < machine().settings.devices ? SUCCESS : INVALID_DEVICE;
}
}  // namespace

Machine& machine() {
  static Machine only;
  return only;
}

void* currentContext() { return current; }

int enter() {
  REQUIRE(machine().initialized, NOT_INITIALIZED);
  REQUIRE(current != nullptr && machine().counts.contexts > 0, INVALID_CONTEXT);
  return machine().broken;
}

int enterOutsideCapture() {
  REQUIRE_SUCCESS(enter());
  return anyCapture() ? invalidateCaptures() : SUCCESS;
}

DRIVER_CALL cuInit(unsigned flags) {
  Lock lock(machine().lock);
  REQUIRE(flags == 0, INVALID_VALUE);
  REQUIRE(machine().settings.devices > 0, NO_DEVICE);
  machine().initialized = true;
  return SUCCESS;
}

DRIVER_CALL cuDriverGetVersion(int* version) {
  REQUIRE(version != nullptr, INVALID_VALUE);
  *version = machine().settings.driver;
  return SUCCESS;
}

DRIVER_CALL cuDeviceGetCount(int* count) {
  REQUIRE(machine().initialized, NOT_INITIALIZED);
  *count = machine().settings.devices;
  return SUCCESS;
}

DRIVER_CALL cuDeviceGet(int* device, int ordinal) {
  REQUIRE_SUCCESS(deviceOf(ordinal));
  *device = ordinal;
  return SUCCESS;
}

DRIVER_CALL cuDeviceGetName(char* name, int length, int device) {
  REQUIRE_SUCCESS(deviceOf(device));
  REQUIRE(length > 0, INVALID_VALUE);
  snprintf(name, length, "Simulated sm_%d", machine().settings.architecture);
  return SUCCESS;
}

DRIVER_CALL cuDeviceGetAttribute(int* value, int which, int device) {
  REQUIRE_SUCCESS(deviceOf(device));
  return attribute(which, value);
}

DRIVER_CALL cuDeviceTotalMem_v2(size_t* bytes, int device) {
  REQUIRE_SUCCESS(deviceOf(device));
  *bytes = machine().settings.memory;
  return SUCCESS;
}

DRIVER_CALL cuDevicePrimaryCtxRetain(void** context, int device) {
  Lock lock(machine().lock);
  REQUIRE_SUCCESS(deviceOf(device));
  REQUIRE_SUCCESS(machine().broken);
  machine().counts.contexts++;
  *context = &primaryContext;
  return SUCCESS;
}

DRIVER_CALL cuDevicePrimaryCtxRelease_v2(int device) {
  Lock lock(machine().lock);
  REQUIRE_SUCCESS(deviceOf(device));
  REQUIRE(machine().counts.contexts > 0, INVALID_CONTEXT);
  if (--machine().counts.contexts == 0) {
    dropStreams();
    dropMemory();
    dropModules();
    if (machine().broken != SUCCESS) {
      dropGraphs();
    }
  }
  return SUCCESS;
}

DRIVER_CALL cuDevicePrimaryCtxSetFlags_v2(int device, unsigned) { return deviceOf(device); }

DRIVER_CALL cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  REQUIRE_SUCCESS(deviceOf(device));
  *flags = 0;
  *active = machine().counts.contexts > 0;
  return SUCCESS;
}

DRIVER_CALL cuCtxSetCurrent(void* context) {
  Lock lock(machine().lock);
  REQUIRE(machine().initialized, NOT_INITIALIZED);
  REQUIRE(context == nullptr || context == &primaryContext, INVALID_CONTEXT);
  current = context;
  return SUCCESS;
}

DRIVER_CALL cuCtxGetCurrent(void** context) {
  REQUIRE(machine().initialized, NOT_INITIALIZED);
  *context = current;
  return SUCCESS;
}

DRIVER_CALL cuCtxGetDevice(int* device) {
  REQUIRE_SUCCESS(enter());
  *device = 0;
  return SUCCESS;
}

DRIVER_CALL cuCtxSynchronize() {
  DRIVER_ENTER(enterOutsideCapture);
  return drainAll();
}
