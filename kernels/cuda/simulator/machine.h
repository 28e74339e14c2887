// The simulated machine: what it has, who may use it, and which faults a test asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "result.h"

struct Settings {
  size_t memory = size_t(1) << 30;  // bytes of device memory
  int architecture = 90;            // compute capability, times ten
  int driver = 13000;               // as cuDriverGetVersion gives it
  int devices = 1;
  bool late = true;       // work runs as late as allowed: when somebody waits for it
  long failAllocation = 0;  // the n-th allocation from now on fails, and all after it; 0: none
  long failLaunch = 0;      // the n-th launch from now on breaks the context; 0: none
  int launchError = ILLEGAL_ADDRESS;
};

// What a test may look at afterwards.
struct Counts {
  long allocations = 0;
  long bytes = 0;  // that are allocated now
  long pinned = 0;
  long streams = 0;
  long events = 0;
  long modules = 0;
  long graphs = 0;  // graphs and executable graphs
  long contexts = 0;  // references to the primary context
  long launches = 0;
  long graphLaunches = 0;
  long uploads = 0;    // copies to the device
  long downloads = 0;  // copies from the device
  long damaged = 0;    // allocations that were written past their end
};

struct Machine {
  std::recursive_mutex lock;
  Settings settings;
  Counts counts;
  bool initialized = false;
  int broken = SUCCESS;  // what every call returns once the context is broken
};

Machine& machine();

// The context that is current on this thread; null: none.
void* currentContext();

// Every call that needs a context begins with this: whether it may go on.
int enter();

// As enter(), for calls that no stream may be capturing for.
int enterOutsideCapture();

using Lock = std::lock_guard<std::recursive_mutex>;

#define DRIVER_ENTER(how)             \
  Lock lock_(machine().lock);         \
  REQUIRE_SUCCESS(how())
