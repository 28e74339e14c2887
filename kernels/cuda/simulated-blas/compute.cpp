// The product itself, in F32, each algorithm in an order of its own.
#include <cmath>
#include <cstring>

#include "driver.h"
#include "library.h"

namespace {
constexpr int ILLEGAL_ADDRESS = 700;  // CUDA_ERROR_ILLEGAL_ADDRESS

float fromBits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

float fp8(uint8_t code) {
  int exponent = code >> 3 & 15;
  int mantissa = code & 7;
  float size = exponent == 0 ? std::ldexp(float(mantissa), -9)
                             : std::ldexp(float(8 + mantissa), exponent - 10);
  bool nan = (code & 0x7f) == 0x7f;
  return nan ? NAN : code & 0x80 ? -size : size;
}

float read(int type, const void* data, uint64_t at) {
  switch (type) {
    case R_32F: return static_cast<const float*>(data)[at];
    case R_16BF: return fromBits(uint32_t(static_cast<const uint16_t*>(data)[at]) << 16);
    default: return fp8(static_cast<const uint8_t*>(data)[at]);
  }
}

void write(int type, void* data, uint64_t at, float value) {
  if (type == R_32F) {
    static_cast<float*>(data)[at] = value;
    return;
  }
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits += std::isnan(value) ? 0 : 0x7fff + (bits >> 16 & 1);
  static_cast<uint16_t*>(data)[at] = uint16_t(bits >> 16);
}

// Terms [from, to) of one output, forwards or backwards.
float sum(const Product& p, uint64_t row, uint64_t out, uint64_t from, uint64_t to, bool backwards) {
  float total = 0;
  for (uint64_t i = from; i < to; i++) {
    uint64_t k = backwards ? to - 1 - (i - from) : i;
    total += read(p.a.type, p.aData, out * p.a.stride + k) *
             read(p.b.type, p.bData, row * p.b.stride + k);
  }
  return total;
}

// The second halves of all sums first, in the workspace, then the first ones.
void halves(const Product& p) {
  auto* parts = static_cast<float*>(p.workspace);
  for (uint64_t i = 0; i < p.rows() * p.outs(); i++) {
    parts[i] = sum(p, i / p.outs(), i % p.outs(), p.ins() / 2, p.ins(), false);
  }
}

float total(const Product& p, uint64_t row, uint64_t out) {
  switch (p.algorithm) {
    case 1:
      return sum(p, row, out, 0, p.ins() / 2, false) +
             static_cast<float*>(p.workspace)[row * p.outs() + out];
    case 2: return sum(p, row, out, 0, p.ins(), true);
    default: return sum(p, row, out, 0, p.ins(), false);
  }
}

float scale(const float* scales, int mode, uint64_t at) {
  return scales == nullptr ? 1 : scales[mode == SCALE_OUTER_VECTOR ? at : 0];
}

bool holds(const Layout& layout, const void* data) {
  return isDevice(data, bytesOf(layout.type) * ((layout.columns - 1) * layout.stride + layout.rows));
}

// How many scales of a matrix are read.
bool holds(const float* scales, int mode, uint64_t count) {
  return scales == nullptr || isDevice(scales, mode == SCALE_OUTER_VECTOR ? 4 * count : 4);
}

int biasType(const Product& p) { return p.a.type == R_8F_E4M3 ? int(R_16BF) : p.d.type; }

bool inMemory(const Product& p) {
  auto& operation = p.operation;
  bool biased = operation.epilogue == EPILOGUE_BIAS;
  size_t workspace = workspaceOf(p.algorithm, p);
  return holds(p.a, p.aData) && holds(p.b, p.bData) && holds(p.d, p.dData) &&
         (!biased || isDevice(operation.bias, bytesOf(biasType(p)) * p.outs())) &&
         (workspace == 0 || isDevice(p.workspace, p.workspaceBytes)) &&
         holds(operation.scaleA, operation.scaleModeA, p.outs()) &&
         holds(operation.scaleB, operation.scaleModeB, p.rows());
}
}  // namespace

int compute(const Product& p) {
  REQUIRE(inMemory(p), ILLEGAL_ADDRESS);
  auto& operation = p.operation;
  if (p.algorithm == 1) {
    halves(p);
  }
  for (uint64_t row = 0; row < p.rows(); row++) {
    for (uint64_t out = 0; out < p.outs(); out++) {
      float value = p.alpha * total(p, row, out) *
                    scale(operation.scaleA, operation.scaleModeA, out) *
                    scale(operation.scaleB, operation.scaleModeB, row);
      uint64_t at = row * p.d.stride + out;
      if (p.beta != 0) {
        value += p.beta * read(p.d.type, p.dData, at);
      }
      if (operation.epilogue == EPILOGUE_BIAS) {
        value += read(biasType(p), operation.bias, out);
      }
      write(p.d.type, p.dData, at, value);
    }
  }
  return 0;
}
