// Device and pinned memory. Both lie in this process, so kernels of the emulator reach them; device
// memory is fenced: what is read or written past its end, or after it was freed, faults.
#pragma once

#include <cstddef>

// Whether all of a range lies in one live allocation of the device's.
bool isDevice(const void* start, size_t bytes);

// Whether all of a range is pinned.
bool isPinned(const void* start, size_t bytes);

// Whether an address lies where device memory is taken from, allocated or not.
bool inDeviceSpace(const void* address);

// Frees everything, as the end of the context does.
void dropMemory();
