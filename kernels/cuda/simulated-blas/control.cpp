// What tests say to the simulated library and ask of it; no part of cuBLASLt's interface.
#include <cstdlib>
#include <string>

#include "library.h"

namespace {
bool set(const std::string& key, long value) {
  Blas& b = blas();
  size_t dash = key.rfind('-');
  int which = dash == std::string::npos ? -1 : atoi(key.c_str() + dash + 1);
  std::string name = key.substr(0, dash);
  if (key == "version") {
    b.version = size_t(value);
  } else if (key == "create") {
    b.create = int(value);
  } else if (which < 0 || which >= ALGORITHMS) {
    return false;
  } else if (name == "state") {
    b.algorithms[which].state = int(value);
  } else if (name == "refusal") {
    b.algorithms[which].refusal = int(value);
  } else if (name == "milliseconds") {
    b.algorithms[which].milliseconds = int(value);
  } else {
    return false;
  }
  return true;
}
}  // namespace

// One setting: version, create (a status), state-N, refusal-N (statuses) or milliseconds-N of an
// algorithm; 0, or 1 if there is no such one.
BLAS_CALL int millrace_blas_set(const char* key, long value) {
  Lock lock(blas().lock);
  return set(key, value) ? 0 : 1;
}

// objects (that are not destroyed), heuristics, products (that were accepted), runs-N (of an
// algorithm on the device); -1 if there is no such count.
BLAS_CALL long millrace_blas_count(const char* name) {
  Lock lock(blas().lock);
  Blas& b = blas();
  std::string key = name;
  if (key == "objects") {
    return long(b.handles.size() + b.operations.size() + b.layouts.size() + b.preferences.size());
  } else if (key == "heuristics") {
    return b.heuristics;
  } else if (key == "products") {
    return b.products;
  } else if (key.rfind("runs-", 0) == 0) {
    int which = atoi(key.c_str() + 5);
    return which >= 0 && which < ALGORITHMS ? b.runs[which] : -1;
  }
  return -1;
}

// Forgets settings and counts, but not what is alive.
BLAS_CALL void millrace_blas_reset() {
  Lock lock(blas().lock);
  Blas& b = blas();
  for (int i = 0; i < ALGORITHMS; i++) {
    b.algorithms[i] = {};
    b.runs[i] = 0;
  }
  b.create = SUCCESS;
  b.version = 130100;
  b.heuristics = b.products = 0;
}
