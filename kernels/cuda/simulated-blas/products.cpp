// Algorithms and products: what is refused, and what goes into the stream.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "driver.h"
#include "library.h"

namespace {
constexpr uint64_t MAGIC = 0x6d696c6c72616365;  // ours, whoever made the bytes
constexpr uint64_t MOST_ROWS_OF_LAST = 64;

const char PRODUCT_TAG = 0;

Algorithm algorithmOf(uint64_t which, uint64_t alignment) {
  return {{MAGIC, which, uint64_t(blas().version), alignment, 0, 0, 0, 0}};
}

// -1 for bytes that no heuristic of this version gave.
int numberOf(const Algorithm* algorithm) {
  REQUIRE(algorithm != nullptr, -1);
  Algorithm known = algorithmOf(algorithm->data[1], algorithm->data[3]);
  bool ours = memcmp(algorithm, &known, sizeof known) == 0 && algorithm->data[1] < ALGORITHMS;
  return ours ? int(algorithm->data[1]) : -1;
}

bool live(void* handle, void* operation, void* a, void* b, void* c, void* d) {
  auto& layouts = blas().layouts;
  return blas().handles.count(handle) && blas().operations.count(operation) &&
         layouts.count(a) && layouts.count(b) && layouts.count(c) && layouts.count(d);
}

int describe(void* handle, void* operation, void* a, void* b, void* c, void* d, Product* product) {
  REQUIRE(blas().handles.count(handle), NOT_INITIALIZED);
  REQUIRE(live(handle, operation, a, b, c, d), INVALID_VALUE);
  product->operation = *static_cast<Operation*>(operation);
  product->a = *static_cast<Layout*>(a);
  product->b = *static_cast<Layout*>(b);
  product->d = *static_cast<Layout*>(d);
  return checkShapes(product->operation, product->a, product->b, *static_cast<Layout*>(c),
                     product->d);
}

bool aligned(const void* address, size_t to) { return uintptr_t(address) % to == 0; }

// Addresses may be no worse aligned than the heuristic was told: a real one does not look, and fails.
int checkAddresses(const Product& p, const void* c, uint64_t alignment) {
  REQUIRE(p.aData && p.bData && p.dData && c == p.dData, INVALID_VALUE);
  for (auto* address : {p.aData, p.bData, static_cast<const void*>(p.dData)}) {
    REQUIRE(aligned(address, alignment), NOT_SUPPORTED);
  }
  bool biased = p.operation.epilogue == EPILOGUE_BIAS;
  REQUIRE(!biased || (p.operation.bias && aligned(p.operation.bias, alignment)), INVALID_VALUE);
  REQUIRE(aligned(p.workspace, WORKSPACE_ALIGNMENT), INVALID_VALUE);
  bool scaled = p.a.type == R_8F_E4M3;
  bool scalesThere = p.operation.scaleA && p.operation.scaleB;
  bool vectors = p.operation.scaleModeA == SCALE_OUTER_VECTOR;
  return scaled && vectors && !scalesThere ? INVALID_VALUE : SUCCESS;
}

int run(void* argument) {
  auto& product = *static_cast<Product*>(argument);
  {
    Lock lock(blas().lock);
    blas().runs[product.algorithm]++;
  }
  int result = compute(product);
  int milliseconds = blas().algorithms[product.algorithm].milliseconds;
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return result;
}

void forget(void* argument) { delete static_cast<Product*>(argument); }
}  // namespace

int checkShapes(const Operation& operation, const Layout& a, const Layout& b, const Layout& c,
                const Layout& d) {
  for (auto* layout : {&a, &b, &c, &d}) {
    bool whole = layout->rows > 0 && layout->columns > 0;
    REQUIRE(whole && layout->stride >= int64_t(layout->rows), INVALID_VALUE);
  }
  // the one arrangement we use: weights and activations by rows, so the first is transposed
  REQUIRE(operation.transposeA == 1 && operation.transposeB == 0, NOT_SUPPORTED);
  REQUIRE(a.rows == b.rows && d.rows == a.columns && d.columns == b.columns, INVALID_VALUE);
  bool same = c.rows == d.rows && c.columns == d.columns && c.type == d.type;
  REQUIRE(same && c.stride == d.stride, INVALID_VALUE);
  REQUIRE(a.type == b.type && (d.type == R_16BF || d.type == R_32F), NOT_SUPPORTED);
  bool fp8 = a.type == R_8F_E4M3;
  REQUIRE(fp8 || a.type == R_16BF, NOT_SUPPORTED);
  if (fp8) {
    bool sixteens = a.rows % 16 == 0 && a.stride % 16 == 0 && b.stride % 16 == 0 && d.rows % 16 == 0;
    REQUIRE(sixteens, NOT_SUPPORTED);
  }
  int epilogue = operation.epilogue;
  REQUIRE(epilogue == EPILOGUE_DEFAULT || epilogue == EPILOGUE_BIAS, NOT_SUPPORTED);
  int mode = operation.scaleModeA;
  REQUIRE(mode == operation.scaleModeB, NOT_SUPPORTED);
  REQUIRE(mode == SCALE_SCALAR || (fp8 && mode == SCALE_OUTER_VECTOR), NOT_SUPPORTED);
  return SUCCESS;
}

size_t workspaceOf(int algorithm, const Product& p) {
  return algorithm == 1 ? sizeof(float) * p.rows() * p.outs() : 0;
}

int checkAlgorithm(int algorithm, const Product& p) {
  REQUIRE(algorithm >= 0, INVALID_VALUE);  // as numberOf() says
  return algorithm == 3 && p.rows() > MOST_ROWS_OF_LAST ? NOT_SUPPORTED : SUCCESS;
}

BLAS_CALL int cublasLtMatmulAlgoGetHeuristic(void* handle, void* operation, void* a, void* b,
                                             void* c, void* d, void* preference, int wanted,
                                             HeuristicResult* results, int* count) {
  Lock lock(blas().lock);
  Product product = {};
  REQUIRE_SUCCESS(describe(handle, operation, a, b, c, d, &product));
  REQUIRE(blas().preferences.count(preference) && wanted > 0, INVALID_VALUE);
  bool biased = product.operation.epilogue == EPILOGUE_BIAS;
  REQUIRE(!biased || product.operation.bias != nullptr, INVALID_VALUE);
  auto& asked = *static_cast<Preference*>(preference);
  blas().heuristics++;
  *count = 0;
  auto& alignments = asked.alignment;
  uint64_t alignment = *std::min_element(alignments.begin(), alignments.end());
  for (int i = 0; i < ALGORITHMS && *count < wanted; i++) {
    size_t workspace = workspaceOf(i, product);
    bool reduces = workspace == 0 || asked.reductions & REDUCTION_IN_F32;
    if (workspace > asked.workspace || !reduces || checkAlgorithm(i, product) != SUCCESS) {
      continue;
    }
    results[(*count)++] = {algorithmOf(i, alignment), workspace, blas().algorithms[i].state, 1, {}};
  }
  return *count > 0 ? SUCCESS : NOT_SUPPORTED;
}

BLAS_CALL int cublasLtMatmulAlgoCheck(void* handle, void* operation, void* a, void* b, void* c,
                                      void* d, const Algorithm* algorithm,
                                      HeuristicResult* result) {
  Lock lock(blas().lock);
  Product product = {};
  REQUIRE_SUCCESS(describe(handle, operation, a, b, c, d, &product));
  int number = numberOf(algorithm);
  REQUIRE_SUCCESS(checkAlgorithm(number, product));
  *result = {*algorithm, workspaceOf(number, product), SUCCESS, 1, {}};
  return SUCCESS;
}

BLAS_CALL int cublasLtMatmul(void* handle, void* operation, const float* alpha, const void* aData,
                             void* a, const void* bData, void* b, const float* beta,
                             const void* cData, void* c, void* dData, void* d,
                             const Algorithm* algorithm, void* workspace, size_t workspaceBytes,
                             void* stream) {
  auto product = new Product{};
  int result = [&]() -> int {
    Lock lock(blas().lock);
    REQUIRE_SUCCESS(describe(handle, operation, a, b, c, d, product));
    product->aData = aData;
    product->bData = bData;
    product->dData = dData;
    product->workspace = workspace;
    product->workspaceBytes = workspaceBytes;
    product->alpha = *alpha;
    product->beta = *beta;
    product->algorithm = numberOf(algorithm);
    REQUIRE_SUCCESS(checkAlgorithm(product->algorithm, *product));
    REQUIRE_SUCCESS(checkAddresses(*product, cData, algorithm->data[3]));
    REQUIRE(workspaceOf(product->algorithm, *product) <= workspaceBytes, INVALID_VALUE);
    REQUIRE_SUCCESS(blas().algorithms[product->algorithm].refusal);
    blas().products++;
    return SUCCESS;
  }();
  if (result != SUCCESS) {
    delete product;
    return result;
  }
  return submit(stream, &PRODUCT_TAG, run, product, forget) == 0 ? SUCCESS : EXECUTION_FAILED;
}
