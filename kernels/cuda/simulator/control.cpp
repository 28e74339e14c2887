// What tests say to the simulated machine and ask of it; no part of the driver's interface.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "emulated.h"
#include "machine.h"
#include "memory.h"
#include "stream.h"

#define CONTROL extern "C" __attribute__((visibility("default")))

namespace {
bool set(const std::string& key, const std::string& value) {
  Settings& settings = machine().settings;
  long number = atol(value.c_str());
  if (key == "kernels") {
    return openEmulated(value);
  } else if (key == "memory") {
    settings.memory = number;
  } else if (key == "architecture") {
    settings.architecture = int(number);
  } else if (key == "driver") {
    settings.driver = int(number);
  } else if (key == "devices") {
    settings.devices = int(number);
  } else if (key == "late") {
    settings.late = number != 0;
  } else if (key == "fail-allocation") {
    settings.failAllocation = number;
  } else if (key == "fail-launch") {
    settings.failLaunch = number;
  } else if (key == "launch-error") {
    settings.launchError = int(number);
  } else {
    return false;
  }
  return true;
}

// What a process is started with takes effect before its first call.
struct FromEnvironment {
  FromEnvironment();
};
FromEnvironment fromEnvironment;
}  // namespace

// Takes "key=value,key=value"; 0, or 1 if a key is unknown or a library cannot be opened.
CONTROL int millrace_sim_set(const char* text) {
  Lock lock(machine().lock);
  std::string rest = text;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string pair = rest.substr(0, comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    size_t equals = pair.find('=');
    if (equals == std::string::npos || !set(pair.substr(0, equals), pair.substr(equals + 1))) {
      fprintf(stderr, "simulated driver: cannot set %s\n", pair.c_str());
      return 1;
    }
  }
  return 0;
}

// One of the counts of machine.h by name; -1 if there is none.
CONTROL long millrace_sim_count(const char* name) {
  Lock lock(machine().lock);
  const Counts& counts = machine().counts;
  const struct {
    const char* name;
    long value;
  } all[] = {{"allocations", counts.allocations}, {"bytes", counts.bytes},
             {"pinned", counts.pinned},           {"streams", counts.streams},
             {"events", counts.events},           {"modules", counts.modules},
             {"graphs", counts.graphs},           {"contexts", counts.contexts},
             {"launches", counts.launches},       {"graph-launches", counts.graphLaunches},
             {"uploads", counts.uploads},         {"downloads", counts.downloads},
             {"damaged", counts.damaged}};
  for (auto& each : all) {
    if (strcmp(each.name, name) == 0) {
      return each.value;
    }
  }
  return -1;
}

// Mends a broken context and forgets all settings, but not what is allocated.
CONTROL void millrace_sim_reset() {
  Lock lock(machine().lock);
  machine().broken = SUCCESS;
  machine().settings = Settings{};
}

// Puts work of another simulated library into a stream; 1 if a range is not the device's.
CONTROL int millrace_sim_submit(void* stream, const void* tag, int (*work)(void*), void* argument,
                                void (*drop)(void*)) {
  DRIVER_ENTER(enter);
  REQUIRE(isStream(stream), INVALID_HANDLE);
  std::shared_ptr<void> held(argument, drop);
  return submit(stream, tag, [work, held] { return work(held.get()); });
}

CONTROL int millrace_sim_is_device(const void* start, size_t bytes) {
  Lock lock(machine().lock);
  return isDevice(start, bytes);
}

namespace {
FromEnvironment::FromEnvironment() {
  if (const char* text = getenv("MILLRACE_SIM")) {
    millrace_sim_set(text);
  }
}
}  // namespace
