#include "memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <map>

#include "machine.h"
#include "stream.h"

namespace {
constexpr size_t SPACE = size_t(1) << 38;
constexpr size_t PAGE = 4096;
constexpr size_t ALIGNMENT = 256;
constexpr unsigned char UNWRITTEN = 0xff;  // a NaN in every float type
constexpr unsigned char FENCE = 0xa5;

struct Range {
  char* pages;
  size_t pageBytes;
  size_t bytes;
};

struct Space {
  char* start = nullptr;
  char* next = nullptr;  // addresses are never used twice
  std::map<char*, Range> live;
  std::map<char*, size_t> pinned;
};

Space& space() {
  static Space only;
  return only;
}

size_t roundUp(size_t value, size_t step) { return (value + step - 1) / step * step; }

bool reserve() {
  Space& s = space();
  if (s.start == nullptr) {
    void* got = mmap(nullptr, SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) {
      return false;
    }
    s.start = s.next = static_cast<char*>(got);
  }
  return true;
}

size_t slack(const Range& range) { return roundUp(range.bytes, ALIGNMENT) - range.bytes; }

bool fenceHolds(const char* start, const Range& range) {
  for (size_t i = 0; i < slack(range); i++) {
    if (static_cast<unsigned char>(start[range.bytes + i]) != FENCE) {
      return false;
    }
  }
  return true;
}

void release(char* start, const Range& range) {
  if (!fenceHolds(start, range)) {
    machine().counts.damaged++;
  }
  mmap(range.pages, range.pageBytes, PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  machine().counts.bytes -= range.bytes;
  machine().counts.allocations--;
}

// The n-th allocation that a test asked to fail, and all that follow.
bool failsByOrder() {
  long& left = machine().settings.failAllocation;
  if (left > 1) {
    left--;
    return false;
  }
  return left == 1;
}
}  // namespace

bool inDeviceSpace(const void* address) {
  auto* a = static_cast<const char*>(address);
  return space().start != nullptr && a >= space().start && a < space().start + SPACE;
}

bool isDevice(const void* start, size_t bytes) {
  auto* first = static_cast<char*>(const_cast<void*>(start));
  auto after = space().live.upper_bound(first);
  if (after == space().live.begin()) {
    return false;
  }
  auto& [base, range] = *std::prev(after);
  return bytes <= range.bytes && size_t(first - base) <= range.bytes - bytes;
}

bool isPinned(const void* start, size_t bytes) {
  auto* first = static_cast<char*>(const_cast<void*>(start));
  auto after = space().pinned.upper_bound(first);
  if (after == space().pinned.begin()) {
    return false;
  }
  auto& [base, length] = *std::prev(after);
  return bytes <= length && size_t(first - base) <= length - bytes;
}

void dropMemory() {
  for (auto& [start, range] : space().live) {
    release(start, range);
  }
  space().live.clear();
  for (auto& [start, bytes] : space().pinned) {
    munmap(start, bytes);
  }
  space().pinned.clear();
  machine().counts.pinned = 0;
}

DRIVER_CALL cuMemAlloc_v2(void** address, size_t bytes) {
  DRIVER_ENTER(enterOutsideCapture);
  REQUIRE(bytes > 0, INVALID_VALUE);
  REQUIRE(!failsByOrder() && reserve(), OUT_OF_MEMORY);
  size_t held = roundUp(bytes, ALIGNMENT);
  REQUIRE(held <= machine().settings.memory - machine().counts.bytes, OUT_OF_MEMORY);
  size_t pageBytes = roundUp(held, PAGE);
  Space& s = space();
  REQUIRE(s.next + pageBytes + PAGE <= s.start + SPACE, OUT_OF_MEMORY);
  REQUIRE(mprotect(s.next, pageBytes, PROT_READ | PROT_WRITE) == 0, OUT_OF_MEMORY);
  char* start = s.next + pageBytes - held;  // its end meets the page that nobody may touch
  memset(start, UNWRITTEN, bytes);
  memset(start + bytes, FENCE, held - bytes);
  s.live[start] = {s.next, pageBytes, bytes};
  s.next += pageBytes + PAGE;
  machine().counts.bytes += bytes;
  machine().counts.allocations++;
  *address = start;
  return SUCCESS;
}

DRIVER_CALL cuMemFree_v2(void* address) {
  DRIVER_ENTER(enterOutsideCapture);
  auto found = space().live.find(static_cast<char*>(address));
  REQUIRE(found != space().live.end(), INVALID_VALUE);
  REQUIRE_SUCCESS(drainAll());  // freeing waits for the work that uses it
  release(found->first, found->second);
  space().live.erase(found);
  return SUCCESS;
}

DRIVER_CALL cuMemGetInfo_v2(size_t* free, size_t* total) {
  DRIVER_ENTER(enter);
  *total = machine().settings.memory;
  *free = machine().settings.memory - machine().counts.bytes;
  return SUCCESS;
}

DRIVER_CALL cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
  DRIVER_ENTER(enterOutsideCapture);
  REQUIRE(bytes > 0 && flags < 8, INVALID_VALUE);
  void* got =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(got != MAP_FAILED, OUT_OF_MEMORY);
  space().pinned[static_cast<char*>(got)] = bytes;
  machine().counts.pinned++;
  *address = got;
  return SUCCESS;
}

DRIVER_CALL cuMemFreeHost(void* address) {
  DRIVER_ENTER(enterOutsideCapture);
  auto found = space().pinned.find(static_cast<char*>(address));
  REQUIRE(found != space().pinned.end(), INVALID_VALUE);
  REQUIRE_SUCCESS(drainAll());
  munmap(address, found->second);
  space().pinned.erase(found);
  machine().counts.pinned--;
  return SUCCESS;
}

DRIVER_CALL cuMemHostGetDevicePointer_v2(void** device, void* host, unsigned flags) {
  DRIVER_ENTER(enter);
  REQUIRE(flags == 0 && isPinned(host, 1), INVALID_VALUE);
  *device = host;
  return SUCCESS;
}
