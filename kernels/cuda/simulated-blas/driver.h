// The simulated driver beside us (kernels/cuda/simulator), through which work gets into streams.
#pragma once

#include <cstddef>

// Puts work into a stream, or into the graph that it captures; a result of the driver. The argument
// is dropped when nobody can run the work any more.
int submit(void* stream, const void* tag, int (*work)(void*), void* argument, void (*drop)(void*));

// Whether all of a range is device memory that is allocated.
bool isDevice(const void* start, size_t bytes);
