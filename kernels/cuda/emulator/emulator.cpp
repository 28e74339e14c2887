/* The scheduler of the emulator: fibers, blocks, barriers, and the table of kernels. */
#include "emulator.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <numeric>

/* Saves the callee's registers on one stack and takes them from another. */
extern "C" void emulator_switch(void **from, void *to);
asm(".text\n.globl emulator_switch\n.hidden emulator_switch\nemulator_switch:\n"
    " push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
    " mov %rsp,(%rdi)\n mov %rsi,%rsp\n"
    " pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n");

namespace emulator {

static constexpr size_t STACK = 128 << 10;
static constexpr size_t SHARED = 227 << 10;
static constexpr size_t MARGIN = 1024; /* before and behind it, that nobody may write to */
static constexpr size_t GAP = 128;     /* before each of its arrays, likewise */
static constexpr unsigned MOST_THREADS = 1024;

thread_local Launch state;
bool early = false;

static std::vector<Kernel> &table() {
  static std::vector<Kernel> kernels;
  return kernels;
}

Launch::~Launch() {
  if (stacks) munmap(stacks, STACK * MOST_THREADS);
}

/* Address space only: a page gets memory when a fiber first touches it. */
static void ensure_stacks() {
  if (state.stacks) return;
  void *memory = mmap(nullptr, STACK * MOST_THREADS, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw Failure("no memory for the stacks of a block");
  state.stacks = static_cast<char *>(memory);
}

void add(const Kernel &kernel) { table().push_back(kernel); }

void yield() { emulator_switch(&state.current->stack_pointer, state.scheduler); }

/* Leaves the block for good: the scheduler throws what is written here. */
void fail(const std::string &why) {
  state.failure = why;
  for (;;) yield();
}

static void enter() {
  (*state.body)();
  if (!state.current->awaited) fail("a thread ended without having awaited the kernel before");
  state.current->done = true;
  for (;;) yield();
}

/* Stricter than a device: a thread that has ended does not count as having come. */
void barrier() {
  long generation = state.barrier_generation;
  if (++state.barrier_arrived == state.threads) {
    state.barrier_arrived = 0;
    state.barrier_generation++;
  } else {
    while (state.barrier_generation == generation) yield();
  }
}

void *SharedSlot::get(size_t bytes) {
  if (block != state.blocks_begun) {
    block = state.blocks_begun;
    size_t start = (state.shared_used + 127) / 128 * 128 + GAP;
    if (start + bytes > SHARED) fail("more than 227 KiB of shared memory");
    memory = dynamic_shared();
    memory = static_cast<unsigned char *>(memory) + start;
    state.shared_gaps.emplace_back(state.shared_used, start);
    state.shared_used = start + bytes;
  }
  return memory;
}

void *dynamic_shared() {
  uintptr_t start = reinterpret_cast<uintptr_t>(state.shared.data()) + MARGIN;
  return reinterpret_cast<void *>((start + 1023) / 1024 * 1024);
}

static unsigned next_random() {
  state.random = state.random * 6364136223846793005ull + 1442695040888963407ull;
  return state.random >> 33;
}

static void prepare(Fiber &fiber, int thread) {
  fiber.thread = thread;
  fiber.done = fiber.awaited = false;
  fiber.open.clear();
  fiber.groups.clear();
  void **top = reinterpret_cast<void **>(state.stacks + (thread + 1) * STACK);
  *--top = nullptr;                         // keeps the stack aligned as a call would
  *--top = reinterpret_cast<void *>(enter); // where the first switch returns to
  fiber.stack_pointer = top - 6;
}

/* Each live lane of a warp once, from a changing one on. Returns how many ended. */
static int step(int warp, int threads) {
  int ended = 0;
  int first = next_random() % 32;
  for (int i = 0; i < 32; i++) {
    int thread = warp * 32 + (first + i) % 32;
    if (thread >= threads || state.fibers[thread].done) continue;
    state.current = &state.fibers[thread];
    emulator_switch(&state.scheduler, state.current->stack_pointer);
    if (!state.failure.empty()) throw Failure(state.failure);
    ended += state.current->done;
  }
  return ended;
}

/* What a block finds in its shared memory, word by word: no numbers, or infinities. */
static unsigned found() { return state.blocks_begun % 3 == 0 ? 0x7f800000u : 0xffffffffu; }

/* What lies around the arrays of a block in shared memory is as it was before. */
static void check_shared() {
  auto *memory = static_cast<const unsigned char *>(dynamic_shared());
  auto check = [memory](long from, long to) {
    const unsigned *words = reinterpret_cast<const unsigned *>(memory);
    for (long i = (from + 3) / 4; i < to / 4; i++)
      if (words[i] != found()) throw Failure("a write beyond shared memory");
  };
  check(-(long)MARGIN, 0);
  for (auto [from, to] : state.shared_gaps) check(from, to);
  check(state.shared_used, state.shared_used + MARGIN);
}

static void run_block(int threads, size_t shared) {
  state.blocks_begun++;
  state.shared_used = shared;
  state.shared_gaps.clear();
  auto *memory = static_cast<unsigned char *>(dynamic_shared()) - MARGIN;
  std::fill_n(reinterpret_cast<unsigned *>(memory), (MARGIN + SHARED + MARGIN) / 4, found());
  int warps = (threads + 31) / 32;
  state.warps.assign(warps, {});
  state.barrier_arrived = 0;
  state.threads = threads;
  for (int i = 0; i < threads; i++) prepare(state.fibers[i], i);
  for (int left = threads; left > 0;) {
    int before = left;
    bool moved = false;
    int first = next_random() % warps;
    for (int i = 0; i < warps; i++) {
      int warp = (first + i) % warps;
      // runs ahead until all its lanes wait for another warp
      for (bool going = true; going;) {
        long generations = state.warps[warp].generation + state.barrier_generation;
        int ended = step(warp, threads);
        left -= ended;
        going = ended > 0 || state.warps[warp].generation + state.barrier_generation != generations;
        moved |= going;
      }
    }
    if (left == before && !moved)
      throw Failure("deadlock: " + std::to_string(left) + " threads of a block wait for ever");
  }
  check_shared();
}

void run(dim3 grid, dim3 block, size_t shared, const std::function<void()> &body) {
  size_t blocks = (size_t)grid.x * grid.y * grid.z;
  size_t threads = (size_t)block.x * block.y * block.z;
  if (blocks == 0 || threads == 0 || threads > MOST_THREADS || grid.y > 65535 || grid.z > 65535)
    throw Failure("a grid or a block of a size that no device takes");
  if (shared > SHARED) throw Failure("more than 227 KiB of shared memory");
  ensure_stacks();
  state.grid = grid;
  state.block = block;
  state.body = &body;
  state.failure.clear();
  state.shared.resize(MARGIN + 1023 + SHARED + MARGIN);
  if (state.fibers.size() < threads) state.fibers.resize(threads);
  // a stride without a common factor visits every block once
  size_t stride = blocks > 2 ? blocks / 2 + 1 : 1;
  while (std::gcd(stride, blocks) != 1) stride++;
  size_t at = next_random() % blocks;
  for (size_t i = 0; i < blocks; i++, at = (at + stride) % blocks) {
    state.index = {(unsigned)(at % grid.x), (unsigned)(at / grid.x % grid.y),
                   (unsigned)(at / grid.x / grid.y)};
    run_block(threads, shared);
  }
}

}  // namespace emulator

#define VISIBLE extern "C" __attribute__((visibility("default")))

VISIBLE const emulator::Kernel *millrace_cuda_kernels(int *count) {
  *count = emulator::table().size();
  return emulator::table().data();
}

VISIBLE void millrace_cuda_early_copies(int early) { emulator::early = early != 0; }

/*
 * Launches the kernel at an index of the table, for callers that cannot catch: 0, or 1 with what went
 * wrong in `message`, which has room for `room` bytes.
 */
VISIBLE int millrace_cuda_launch(int kernel, const unsigned *grid, const unsigned *block,
                                    unsigned long shared, void **parameters, char *message,
                                    long room) {
  try {
    emulator::table()[kernel].launch(grid, block, shared, parameters);
    return 0;
  } catch (const std::exception &e) {
    std::strncpy(message, e.what(), room - 1);
    message[room - 1] = 0;
    return 1;
  }
}
