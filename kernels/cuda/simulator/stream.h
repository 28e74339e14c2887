// Streams: queues of work that runs when somebody waits for it, or at once, as the settings say.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

// One piece of work; gives a result of the driver.
using Work = std::function<int()>;

// What a captured piece of work is, for the comparison of two graphs.
struct Node {
  const void* what;  // the kernel, or a tag of the copy's kind
  Work work;
};

struct Graph {
  std::vector<Node> nodes;
};

struct Stream {
  bool blocking;  // whether the default stream waits for it
  uint64_t issued = 0;
  uint64_t done = 0;
  std::deque<Work> queue;
  Graph* capture = nullptr;
  int captureMode = 0;
  uint64_t captureThread = 0;
  bool invalidated = false;
};

// Puts work into a stream, or into the graph that it captures; a null stream runs it in order with
// all others that are blocking. The tag says what kind of work it is.
int submit(void* stream, const void* tag, Work work);

// The stream behind a handle; null if there is none, and for the default stream.
Stream* streamOf(void* handle);

// Whether a handle may be given to a call: a live stream, or the default one.
bool isStream(void* handle);

// Runs all that was put into every stream.
int drainAll();

// Whether a stream captures in a way that forbids this thread to wait or allocate.
bool anyCapture();

// Spoils what is being captured; gives the error that the forbidden call returns.
int invalidateCaptures();

// Ends all streams and events, as the end of the context does.
void dropStreams();

// Ends all graphs, as the end of a broken context does: nobody could.
void dropGraphs();
