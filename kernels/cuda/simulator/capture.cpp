// Stream capture and graphs.
#include <pthread.h>

#include <memory>
#include <set>

#include "machine.h"
#include "stream.h"

namespace {
struct Executable {
  std::vector<Node> nodes;
};

std::set<void*>& graphs() {
  static std::set<void*> only;
  return only;
}

std::set<void*>& executables() {
  static std::set<void*> only;
  return only;
}

const char LAUNCH_TAG = 0;

bool sameTopology(const std::vector<Node>& a, const std::vector<Node>& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); i++) {
    if (a[i].what != b[i].what) {
      return false;
    }
  }
  return true;
}
}  // namespace

void dropGraphs() {
  for (void* graph : graphs()) {
    delete static_cast<Graph*>(graph);
  }
  for (void* executable : executables()) {
    delete static_cast<Executable*>(executable);
  }
  graphs().clear();
  executables().clear();
  machine().counts.graphs = 0;
}

DRIVER_CALL cuStreamBeginCapture_v2(void* handle, int mode) {
  DRIVER_ENTER(enter);
  REQUIRE(mode >= 0 && mode < 3, INVALID_VALUE);
  REQUIRE(handle != nullptr, STREAM_CAPTURE_UNSUPPORTED);  // the default stream
  Stream* stream = streamOf(handle);
  REQUIRE(stream != nullptr, INVALID_HANDLE);
  REQUIRE(stream->capture == nullptr, ILLEGAL_STATE);
  stream->capture = new Graph;
  stream->captureMode = mode;
  stream->captureThread = uint64_t(pthread_self());
  stream->invalidated = false;
  return SUCCESS;
}

DRIVER_CALL cuStreamEndCapture(void* handle, void** graph) {
  DRIVER_ENTER(enter);
  Stream* stream = streamOf(handle);
  REQUIRE(stream != nullptr, INVALID_HANDLE);
  REQUIRE(stream->capture != nullptr, ILLEGAL_STATE);
  Graph* captured = stream->capture;
  stream->capture = nullptr;
  if (stream->invalidated) {
    delete captured;
    *graph = nullptr;
    return STREAM_CAPTURE_INVALIDATED;
  }
  graphs().insert(captured);
  machine().counts.graphs++;
  *graph = captured;
  return SUCCESS;
}

DRIVER_CALL cuStreamIsCapturing(void* handle, int* status) {
  DRIVER_ENTER(enter);
  REQUIRE(isStream(handle), INVALID_HANDLE);
  Stream* stream = streamOf(handle);
  bool capturing = stream != nullptr && stream->capture != nullptr;
  *status = !capturing ? 0 : stream->invalidated ? 2 : 1;
  return SUCCESS;
}

DRIVER_CALL cuGraphGetNodes(void* graph, void** nodes, size_t* count) {
  DRIVER_ENTER(enter);
  REQUIRE(graphs().count(graph) && nodes == nullptr, INVALID_VALUE);
  *count = static_cast<Graph*>(graph)->nodes.size();
  return SUCCESS;
}

DRIVER_CALL cuGraphDestroy(void* graph) {
  DRIVER_ENTER(enter);
  REQUIRE(graphs().erase(graph) == 1, INVALID_VALUE);
  delete static_cast<Graph*>(graph);
  machine().counts.graphs--;
  return SUCCESS;
}

DRIVER_CALL cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  DRIVER_ENTER(enter);
  REQUIRE(graphs().count(graph), INVALID_VALUE);
  auto* made = new Executable{static_cast<Graph*>(graph)->nodes};
  executables().insert(made);
  machine().counts.graphs++;
  *executable = made;
  return SUCCESS;
}

// The second part of info, which nodes differ, stays as it is.
DRIVER_CALL cuGraphExecUpdate_v2(void* executable, void* graph, int* info) {
  DRIVER_ENTER(enter);
  REQUIRE(executables().count(executable) && graphs().count(graph), INVALID_VALUE);
  auto* target = static_cast<Executable*>(executable);
  auto& nodes = static_cast<Graph*>(graph)->nodes;
  bool same = sameTopology(target->nodes, nodes);
  *info = same ? 0 : 2;  // CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED
  REQUIRE(same, GRAPH_EXEC_UPDATE_FAILURE);
  target->nodes = nodes;
  return SUCCESS;
}

DRIVER_CALL cuGraphExecDestroy(void* executable) {
  DRIVER_ENTER(enter);
  REQUIRE(executables().count(executable), INVALID_VALUE);
  REQUIRE_SUCCESS(drainAll());
  executables().erase(executable);
  delete static_cast<Executable*>(executable);
  machine().counts.graphs--;
  return SUCCESS;
}

DRIVER_CALL cuGraphUpload(void* executable, void* stream) {
  DRIVER_ENTER(enter);
  REQUIRE(executables().count(executable), INVALID_VALUE);
  REQUIRE(isStream(stream), INVALID_HANDLE);
  return SUCCESS;
}

DRIVER_CALL cuGraphLaunch(void* executable, void* stream) {
  DRIVER_ENTER(enter);
  REQUIRE(executables().count(executable), INVALID_VALUE);
  REQUIRE(isStream(stream), INVALID_HANDLE);
  machine().counts.graphLaunches++;
  // what it is now: a later update is for later launches
  auto nodes = std::make_shared<std::vector<Node>>(static_cast<Executable*>(executable)->nodes);
  return submit(stream, &LAUNCH_TAG, [nodes]() -> int {
    for (auto& node : *nodes) {
      REQUIRE_SUCCESS(node.work());
    }
    return SUCCESS;
  });
}
