// Handles and their attributes: what is set must be known, and of the right size.
#include <cstring>

#include "library.h"

namespace {
template <class T>
int drop(std::set<void*>& live, void* handle) {
  Lock lock(blas().lock);
  REQUIRE(live.erase(handle) == 1, INVALID_VALUE);
  delete static_cast<T*>(handle);
  return SUCCESS;
}

struct Attribute {
  void* target;
  size_t bytes;
};

int set(Attribute attribute, const void* value, size_t bytes) {
  REQUIRE(attribute.target != nullptr && value != nullptr && bytes == attribute.bytes,
          INVALID_VALUE);
  memcpy(attribute.target, value, bytes);
  return SUCCESS;
}

Attribute attributeOf(Operation& operation, int which) {
  bool modes = blas().version >= SCALE_MODES_SINCE;
  switch (which) {
    case 3: return {&operation.transposeA, 4};
    case 4: return {&operation.transposeB, 4};
    case 7: return {&operation.epilogue, 4};
    case 8: return {&operation.bias, 8};
    case 17: return {&operation.scaleA, 8};
    case 18: return {&operation.scaleB, 8};
    case 25: return {&operation.fastAccumulation, 1};
    case 31: return {modes ? &operation.scaleModeA : nullptr, 4};
    case 32: return {modes ? &operation.scaleModeB : nullptr, 4};
    default: return {nullptr, 0};
  }
}

Attribute attributeOf(Layout& layout, int which) {
  switch (which) {
    case 0: return {&layout.type, 4};
    case 2: return {&layout.rows, 8};
    case 3: return {&layout.columns, 8};
    case 4: return {&layout.stride, 8};
    default: return {nullptr, 0};
  }
}

Attribute attributeOf(Preference& preference, int which) {
  switch (which) {
    case 1: return {&preference.workspace, 8};
    case 3: return {&preference.reductions, 4};
    case 5: case 6: case 7: case 8: return {&preference.alignment[which - 5], 4};
    default: return {nullptr, 0};
  }
}

template <class T>
int setAttribute(std::set<void*>& live, void* handle, int which, const void* value, size_t bytes) {
  Lock lock(blas().lock);
  REQUIRE(live.count(handle), INVALID_VALUE);
  return set(attributeOf(*static_cast<T*>(handle), which), value, bytes);
}
}  // namespace

Blas& blas() {
  static Blas only;
  return only;
}

size_t bytesOf(int type) { return type == R_32F ? 4 : type == R_16BF ? 2 : 1; }

BLAS_CALL size_t cublasLtGetVersion() { return blas().version; }

BLAS_CALL int cublasLtCreate(void** handle) {
  Lock lock(blas().lock);
  REQUIRE_SUCCESS(blas().create);
  *handle = new char;
  blas().handles.insert(*handle);
  return SUCCESS;
}

BLAS_CALL int cublasLtDestroy(void* handle) { return drop<char>(blas().handles, handle); }

BLAS_CALL int cublasLtMatmulDescCreate(void** operation, int computeType, int scaleType) {
  Lock lock(blas().lock);
  REQUIRE(computeType == COMPUTE_32F && scaleType == R_32F, INVALID_VALUE);
  auto* made = new Operation{computeType, scaleType};
  blas().operations.insert(made);
  *operation = made;
  return SUCCESS;
}

BLAS_CALL int cublasLtMatmulDescDestroy(void* operation) {
  return drop<Operation>(blas().operations, operation);
}

BLAS_CALL int cublasLtMatmulDescSetAttribute(void* operation, int which, const void* value,
                                             size_t bytes) {
  return setAttribute<Operation>(blas().operations, operation, which, value, bytes);
}

BLAS_CALL int cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns,
                                         int64_t stride) {
  Lock lock(blas().lock);
  REQUIRE(type == R_32F || type == R_16BF || type == R_8F_E4M3, INVALID_VALUE);
  auto* made = new Layout{type, rows, columns, stride};
  blas().layouts.insert(made);
  *layout = made;
  return SUCCESS;
}

BLAS_CALL int cublasLtMatrixLayoutDestroy(void* layout) {
  return drop<Layout>(blas().layouts, layout);
}

BLAS_CALL int cublasLtMatrixLayoutSetAttribute(void* layout, int which, const void* value,
                                               size_t bytes) {
  return setAttribute<Layout>(blas().layouts, layout, which, value, bytes);
}

BLAS_CALL int cublasLtMatmulPreferenceCreate(void** preference) {
  Lock lock(blas().lock);
  auto* made = new Preference;
  blas().preferences.insert(made);
  *preference = made;
  return SUCCESS;
}

BLAS_CALL int cublasLtMatmulPreferenceDestroy(void* preference) {
  return drop<Preference>(blas().preferences, preference);
}

BLAS_CALL int cublasLtMatmulPreferenceSetAttribute(void* preference, int which, const void* value,
                                                   size_t bytes) {
  return setAttribute<Preference>(blas().preferences, preference, which, value, bytes);
}
