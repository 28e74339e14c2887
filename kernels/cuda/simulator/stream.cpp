#include "stream.h"

#include <pthread.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "machine.h"

namespace {
using Clock = std::chrono::steady_clock;

struct Event {
  bool recorded = false;
  bool timed;
  Stream* stream = nullptr;  // null once that is gone, or for the default stream
  uint64_t ticket = 0;       // of the stream, after which the event has happened
  std::shared_ptr<Clock::time_point> time = std::make_shared<Clock::time_point>();
};

struct Live {
  std::map<void*, std::unique_ptr<Stream>> streams;
  std::map<void*, std::unique_ptr<Event>> events;
};

Live& live() {
  static Live only;
  return only;
}

const char RECORD_TAG = 0;
const char WAIT_TAG = 0;

uint64_t thisThread() { return uint64_t(pthread_self()); }

int runOne(Stream& stream) {
  Work work = std::move(stream.queue.front());
  stream.queue.pop_front();
  int result = machine().broken;
  if (result == SUCCESS) {
    result = work();
  }
  stream.done++;
  if (result != SUCCESS) {
    machine().broken = result;  // what fails on the device breaks the context
  }
  return result;
}

int runUntil(Stream& stream, uint64_t ticket) {
  while (stream.done < ticket && !stream.queue.empty()) {
    REQUIRE_SUCCESS(runOne(stream));
  }
  return SUCCESS;
}

int drainBlocking() {
  for (auto& [handle, stream] : live().streams) {
    if (stream->blocking) {
      REQUIRE_SUCCESS(runUntil(*stream, stream->issued));
    }
  }
  return SUCCESS;
}

bool blockingCapture() {
  for (auto& [handle, stream] : live().streams) {
    if (stream->blocking && stream->capture != nullptr) {
      return true;
    }
  }
  return false;
}

Event* eventOf(void* handle) {
  auto found = live().events.find(handle);
  return found == live().events.end() ? nullptr : found->second.get();
}

bool happened(const Event& event) {
  return !event.recorded || event.stream == nullptr || event.stream->done >= event.ticket;
}
}  // namespace

Stream* streamOf(void* handle) {
  auto found = live().streams.find(handle);
  return found == live().streams.end() ? nullptr : found->second.get();
}

bool isStream(void* handle) { return handle == nullptr || streamOf(handle) != nullptr; }

int submit(void* handle, const void* tag, Work work) {
  Stream* stream = streamOf(handle);
  if (stream == nullptr) {
    REQUIRE(!blockingCapture(), (invalidateCaptures(), STREAM_CAPTURE_IMPLICIT));
    REQUIRE_SUCCESS(drainBlocking());
    int result = work();
    if (result != SUCCESS) {
      machine().broken = result;
    }
    return result;
  }
  if (stream->capture != nullptr) {
    REQUIRE(!stream->invalidated, STREAM_CAPTURE_INVALIDATED);
    stream->capture->nodes.push_back({tag, std::move(work)});
    return SUCCESS;
  }
  stream->queue.push_back(std::move(work));
  stream->issued++;
  return machine().settings.late ? SUCCESS : runUntil(*stream, stream->issued);
}

int drainAll() {
  for (auto& [handle, stream] : live().streams) {
    REQUIRE_SUCCESS(runUntil(*stream, stream->issued));
  }
  return SUCCESS;
}

bool anyCapture() {
  for (auto& [handle, stream] : live().streams) {
    bool ours = stream->captureThread == thisThread();
    if (stream->capture != nullptr &&
        (stream->captureMode == 0 || (stream->captureMode == 1 && ours))) {
      return true;
    }
  }
  return false;
}

int invalidateCaptures() {
  for (auto& [handle, stream] : live().streams) {
    stream->invalidated |= stream->capture != nullptr;
  }
  return STREAM_CAPTURE_UNSUPPORTED;
}

void dropStreams() {
  for (auto& [handle, stream] : live().streams) {
    delete stream->capture;
  }
  live().streams.clear();
  live().events.clear();
  machine().counts.streams = machine().counts.events = 0;
}

DRIVER_CALL cuStreamCreate(void** stream, unsigned flags) {
  DRIVER_ENTER(enter);
  REQUIRE(flags < 2, INVALID_VALUE);
  auto made = std::make_unique<Stream>();
  made->blocking = flags == 0;
  *stream = made.get();
  live().streams[made.get()] = std::move(made);
  machine().counts.streams++;
  return SUCCESS;
}

DRIVER_CALL cuStreamCreateWithPriority(void** stream, unsigned flags, int) {
  return cuStreamCreate(stream, flags);
}

DRIVER_CALL cuStreamDestroy_v2(void* handle) {
  DRIVER_ENTER(enter);
  Stream* stream = streamOf(handle);
  REQUIRE(stream != nullptr, INVALID_HANDLE);
  REQUIRE_SUCCESS(runUntil(*stream, stream->issued));
  for (auto& [key, event] : live().events) {
    if (event->stream == stream) {
      event->stream = nullptr;
    }
  }
  delete stream->capture;
  live().streams.erase(handle);
  machine().counts.streams--;
  return SUCCESS;
}

DRIVER_CALL cuStreamSynchronize(void* handle) {
  DRIVER_ENTER(enter);
  REQUIRE(isStream(handle), INVALID_HANDLE);
  Stream* stream = streamOf(handle);
  if (stream == nullptr) {
    REQUIRE(!blockingCapture(), (invalidateCaptures(), STREAM_CAPTURE_IMPLICIT));
    return drainBlocking();
  }
  REQUIRE(stream->capture == nullptr, invalidateCaptures());
  return runUntil(*stream, stream->issued);
}

// Does a piece of the work each time it is asked, so that who polls gets on.
DRIVER_CALL cuStreamQuery(void* handle) {
  DRIVER_ENTER(enter);
  REQUIRE(isStream(handle), INVALID_HANDLE);
  Stream* stream = streamOf(handle);
  if (stream == nullptr || stream->queue.empty()) {
    return SUCCESS;
  }
  REQUIRE(stream->capture == nullptr, invalidateCaptures());
  REQUIRE_SUCCESS(runOne(*stream));
  return NOT_READY;
}

DRIVER_CALL cuEventCreate(void** event, unsigned flags) {
  DRIVER_ENTER(enter);
  REQUIRE(flags < 8, INVALID_VALUE);
  auto made = std::make_unique<Event>();
  made->timed = (flags & 2) == 0;
  *event = made.get();
  live().events[made.get()] = std::move(made);
  machine().counts.events++;
  return SUCCESS;
}

DRIVER_CALL cuEventDestroy_v2(void* handle) {
  DRIVER_ENTER(enter);
  REQUIRE(live().events.erase(handle) == 1, INVALID_HANDLE);
  machine().counts.events--;
  return SUCCESS;
}

DRIVER_CALL cuEventRecord(void* handle, void* streamHandle) {
  DRIVER_ENTER(enter);
  Event* event = eventOf(handle);
  REQUIRE(event != nullptr && isStream(streamHandle), INVALID_HANDLE);
  auto time = event->time;
  REQUIRE_SUCCESS(submit(streamHandle, &RECORD_TAG, [time]() -> int {
    *time = Clock::now();
    return SUCCESS;
  }));
  Stream* stream = streamOf(streamHandle);
  if (stream == nullptr || stream->capture == nullptr) {
    event->recorded = true;
    event->stream = stream;
    event->ticket = stream == nullptr ? 0 : stream->issued;
  }
  return SUCCESS;
}

DRIVER_CALL cuEventQuery(void* handle) {
  DRIVER_ENTER(enter);
  Event* event = eventOf(handle);
  REQUIRE(event != nullptr, INVALID_HANDLE);
  if (happened(*event)) {
    return SUCCESS;
  }
  REQUIRE_SUCCESS(runOne(*event->stream));
  return NOT_READY;
}

DRIVER_CALL cuEventSynchronize(void* handle) {
  DRIVER_ENTER(enterOutsideCapture);
  Event* event = eventOf(handle);
  REQUIRE(event != nullptr, INVALID_HANDLE);
  return happened(*event) ? SUCCESS : runUntil(*event->stream, event->ticket);
}

DRIVER_CALL cuEventElapsedTime(float* milliseconds, void* from, void* to) {
  DRIVER_ENTER(enter);
  Event* first = eventOf(from);
  Event* last = eventOf(to);
  REQUIRE(first != nullptr && last != nullptr, INVALID_HANDLE);
  REQUIRE(first->timed && last->timed && first->recorded && last->recorded, INVALID_HANDLE);
  REQUIRE(happened(*first) && happened(*last), NOT_READY);
  *milliseconds = std::chrono::duration<float, std::milli>(*last->time - *first->time).count();
  return SUCCESS;
}

DRIVER_CALL cuStreamWaitEvent(void* handle, void* eventHandle, unsigned flags) {
  DRIVER_ENTER(enter);
  Event* event = eventOf(eventHandle);
  REQUIRE(event != nullptr && isStream(handle), INVALID_HANDLE);
  REQUIRE(flags < 2, INVALID_VALUE);
  void* other = event->stream;
  uint64_t ticket = event->ticket;
  return submit(handle, &WAIT_TAG, [other, ticket]() -> int {
    Stream* stream = streamOf(other);
    return stream == nullptr ? SUCCESS : runUntil(*stream, ticket);
  });
}
