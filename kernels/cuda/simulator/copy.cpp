// Copies and fills. A copy from pageable memory takes its source when it is issued, one from pinned
// memory when it runs; a copy to pageable memory has happened when the call returns.
#include <cstring>
#include <memory>
#include <vector>

#include "machine.h"
#include "memory.h"
#include "stream.h"

namespace {
const char UPLOAD_TAG = 0;
const char DOWNLOAD_TAG = 0;
const char MOVE_TAG = 0;
const char FILL_TAG = 0;

int upload(void* device, const void* host, size_t bytes, void* stream) {
  REQUIRE(isStream(stream), INVALID_HANDLE);
  REQUIRE(host != nullptr && isDevice(device, bytes), INVALID_VALUE);
  machine().counts.uploads++;
  if (isPinned(host, bytes)) {
    return submit(stream, &UPLOAD_TAG, [=]() -> int {
      REQUIRE(isDevice(device, bytes) && isPinned(host, bytes), ILLEGAL_ADDRESS);
      memcpy(device, host, bytes);
      return SUCCESS;
    });
  }
  auto* first = static_cast<const char*>(host);
  auto staged = std::make_shared<std::vector<char>>(first, first + bytes);
  return submit(stream, &UPLOAD_TAG, [=]() -> int {
    REQUIRE(isDevice(device, bytes), ILLEGAL_ADDRESS);
    memcpy(device, staged->data(), bytes);
    return SUCCESS;
  });
}

int download(void* host, const void* device, size_t bytes, void* stream) {
  REQUIRE(isStream(stream), INVALID_HANDLE);
  REQUIRE(host != nullptr && isDevice(device, bytes), INVALID_VALUE);
  Stream* queue = streamOf(stream);
  bool capturing = queue != nullptr && queue->capture != nullptr;
  bool pinned = isPinned(host, bytes);
  REQUIRE(pinned || !capturing, invalidateCaptures());
  machine().counts.downloads++;
  REQUIRE_SUCCESS(submit(stream, &DOWNLOAD_TAG, [=]() -> int {
    REQUIRE(isDevice(device, bytes) && (!pinned || isPinned(host, bytes)), ILLEGAL_ADDRESS);
    memcpy(host, device, bytes);
    return SUCCESS;
  }));
  return pinned || queue == nullptr ? int(SUCCESS) : drainAll();
}

int move(void* target, const void* source, size_t bytes, void* stream) {
  REQUIRE(isStream(stream), INVALID_HANDLE);
  REQUIRE(isDevice(target, bytes) && isDevice(source, bytes), INVALID_VALUE);
  return submit(stream, &MOVE_TAG, [=]() -> int {
    REQUIRE(isDevice(target, bytes) && isDevice(source, bytes), ILLEGAL_ADDRESS);
    memmove(target, source, bytes);
    return SUCCESS;
  });
}

template <class T>
int fill(void* target, T value, size_t count, void* stream) {
  size_t bytes = count * sizeof(T);
  REQUIRE(isStream(stream), INVALID_HANDLE);
  REQUIRE(isDevice(target, bytes) && uintptr_t(target) % sizeof(T) == 0, INVALID_VALUE);
  return submit(stream, &FILL_TAG, [=]() -> int {
    REQUIRE(isDevice(target, bytes), ILLEGAL_ADDRESS);
    for (size_t i = 0; i < count; i++) {
      memcpy(static_cast<char*>(target) + i * sizeof(T), &value, sizeof(T));
    }
    return SUCCESS;
  });
}
}  // namespace

DRIVER_CALL cuMemcpyHtoD_v2(void* device, const void* host, size_t bytes) {
  DRIVER_ENTER(enterOutsideCapture);
  return upload(device, host, bytes, nullptr);
}

DRIVER_CALL cuMemcpyDtoH_v2(void* host, const void* device, size_t bytes) {
  DRIVER_ENTER(enterOutsideCapture);
  return download(host, device, bytes, nullptr);
}

DRIVER_CALL cuMemcpyDtoD_v2(void* target, const void* source, size_t bytes) {
  DRIVER_ENTER(enterOutsideCapture);
  return move(target, source, bytes, nullptr);
}

DRIVER_CALL cuMemcpyHtoDAsync_v2(void* device, const void* host, size_t bytes, void* stream) {
  DRIVER_ENTER(enter);
  return upload(device, host, bytes, stream);
}

DRIVER_CALL cuMemcpyDtoHAsync_v2(void* host, const void* device, size_t bytes, void* stream) {
  DRIVER_ENTER(enter);
  return download(host, device, bytes, stream);
}

DRIVER_CALL cuMemcpyDtoDAsync_v2(void* target, const void* source, size_t bytes, void* stream) {
  DRIVER_ENTER(enter);
  return move(target, source, bytes, stream);
}

DRIVER_CALL cuMemsetD8_v2(void* target, unsigned char value, size_t count) {
  DRIVER_ENTER(enterOutsideCapture);
  return fill(target, value, count, nullptr);
}

DRIVER_CALL cuMemsetD8Async(void* target, unsigned char value, size_t count, void* stream) {
  DRIVER_ENTER(enter);
  return fill(target, value, count, stream);
}

DRIVER_CALL cuMemsetD32_v2(void* target, unsigned value, size_t count) {
  DRIVER_ENTER(enterOutsideCapture);
  return fill(target, value, count, nullptr);
}

DRIVER_CALL cuMemsetD32Async(void* target, unsigned value, size_t count, void* stream) {
  DRIVER_ENTER(enter);
  return fill(target, value, count, stream);
}
