/* Weights of any format as BF16, row after row: for products of so many rows that it pays. */
#include "weights.cuh"

#define UNPACK(T, suffix, Format, format)                                                        \
  KERNEL unpack_##format(const void *data, const float *scales, const float *zeros, int group,   \
                         T *out, int columns) {                                                  \
    begin();                                                                                     \
    int i = blockIdx.y * 256 + threadIdx.x;                                                      \
    if (i < columns)                                                                             \
      out[(size_t)blockIdx.x * columns + i] =                                                    \
          from_float<T>(Format::at({data, scales, zeros, group}, blockIdx.x, i, columns));       \
  }                                                                                              \
  EXPORT(unpack_##format);

FOR_EVERY_FORMAT(UNPACK, bf16, bf16)
