/*
 * Runs CUDA kernels on the CPU, from the very files that nvcc compiles: every thread of a block is a
 * fiber, and the blocks of a launch run one after the other, in a mixed order. It is as hostile as the
 * programming model allows: shared memory starts as NaN or infinite, one warp runs ahead of the
 * others until it must wait, lanes run in a changing order, and an asynchronous copy lands at its wait
 * and no sooner (late) or at once (early). What a real device would answer with an error or a hang
 * ends the launch with a Failure: a barrier that not all threads reach, a shuffle that not all lanes
 * take part in, an access of a vector at an odd address. So does a write between or around the arrays
 * of a block in shared memory.
 */
#ifndef MILLRACE_EMULATOR_H
#define MILLRACE_EMULATOR_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

namespace emulator {

/* A launch that a device would not have survived. */
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/* An asynchronous copy of 16 bytes; `bytes` of them are read, the rest is zero. */
struct Copy {
  void *target;
  const void *source;
  unsigned bytes;
};

struct Fiber {
  void *stack_pointer = nullptr;
  int thread = 0;
  bool done = false;
  bool awaited = false; /* the kernels before this one */
  std::vector<Copy> open;
  std::deque<std::vector<Copy>> groups;
};

/* What the lanes of a warp have brought to the collective that they are gathering for. */
struct Warp {
  int arrived = 0;
  long generation = 0;
  const char *what = nullptr;
  void *lanes[32];
};

/* Everything about the launch that this thread of the host is running. */
struct Launch {
  ~Launch();
  char *stacks = nullptr;
  dim3 grid, block, index;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  std::vector<unsigned char> shared;
  size_t shared_used = 0;
  std::vector<std::pair<size_t, size_t>> shared_gaps; /* from, to */
  long blocks_begun = 0;
  Fiber *current = nullptr;
  void *scheduler = nullptr;
  const std::function<void()> *body = nullptr;
  int barrier_arrived = 0, threads = 0;
  long barrier_generation = 0;
  uint64_t random = 1;
  std::string failure;
};

extern thread_local Launch state;

/* Whether asynchronous copies land at once instead of at their wait. */
extern bool early;

void run(dim3 grid, dim3 block, size_t shared, const std::function<void()> &body);
void yield();
void barrier();
[[noreturn]] void fail(const std::string &why);

/* Waits until all 32 lanes are here, then lets one of them do the work for all. */
template <class A, class F>
inline void collective(const char *what, A &argument, F work) {
  Warp &warp = state.warps[state.current->thread / 32];
  if (warp.arrived > 0 && warp.what != what)
    fail(std::string("lanes of one warp wait for ") + warp.what + " and for " + what);
  warp.what = what;
  warp.lanes[state.current->thread % 32] = &argument;
  long generation = warp.generation;
  if (++warp.arrived == 32) {
    work(reinterpret_cast<A **>(warp.lanes));
    warp.arrived = 0;
    warp.generation++;
  } else {
    while (warp.generation == generation) yield();
  }
}

/* Shared memory of one declaration: the first thread of a block to come by lays it out. */
struct SharedSlot {
  long block = -1;
  void *memory = nullptr;
  void *get(size_t bytes);
};

void *dynamic_shared();

/* threadIdx, which is each fiber's own. */
struct ThreadIndex {
  struct Axis {
    int axis;
    operator unsigned() const {
      unsigned thread = state.current->thread;
      const dim3 &block = state.block;
      return axis == 0   ? thread % block.x
             : axis == 1 ? thread / block.x % block.y
                         : thread / (block.x * block.y);
    }
  } x{0}, y{1}, z{2};
};

/* A kernel by its name, for whoever launches. */
struct Kernel {
  const char *name;
  int parameters;
  const unsigned *sizes;
  void (*launch)(const unsigned grid[3], const unsigned block[3], unsigned long shared,
                 void **parameters);
};

void add(const Kernel &kernel);

template <auto function, class... A, size_t... I>
void launch_with(const unsigned grid[3], const unsigned block[3], unsigned long shared,
                 void **parameters, std::index_sequence<I...>) {
  // parameters are copied when a launch begins, as a device does
  std::tuple<A...> copies{*static_cast<std::decay_t<A> *>(parameters[I])...};
  std::function<void()> body = [&copies] { std::apply(function, copies); };
  run({grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared, body);
}

template <auto function>
struct Registered;

template <class... A, void (*function)(A...)>
struct Registered<function> {
  static constexpr unsigned sizes[] = {sizeof(A)...};
  explicit Registered(const char *name) {
    add({name, sizeof...(A), sizes,
         [](const unsigned grid[3], const unsigned block[3], unsigned long shared, void **p) {
           launch_with<function, A...>(grid, block, shared, p, std::index_sequence_for<A...>{});
         }});
  }
};

}  // namespace emulator

#endif
