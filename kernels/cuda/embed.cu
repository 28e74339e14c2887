/*
 * Rows of a token table. A token below 0 is none: its row is zeros. Where there is an order, column i
 * of the table is column order[i] of the row.
 */
#include "weights.cuh"

template <class T, class Format>
__device__ __forceinline__ void embed(const int *tokens, const Weights &table, const int *order,
                                      T *out, int out_stride, int width) {
  int row = blockIdx.x;
  int token = tokens[row];
  for (int i = threadIdx.x; i < width; i += blockDim.x)
    out[(size_t)row * out_stride + (order ? order[i] : i)] =
        from_float<T>(token < 0 ? 0.0f : Format::at(table, token, i, width));
}

#define EMBED(T, suffix, Format, format)                                                        \
  KERNEL embed_##suffix##_##format(const int *tokens, const void *data, const float *scales,    \
                                   const float *zeros, int group, const int *order, T *out,     \
                                   int out_stride, int width) {                                 \
    begin();                                                                                    \
    embed<T, Format>(tokens, {data, scales, zeros, group}, order, out, out_stride, width);      \
  }                                                                                             \
  EXPORT(embed_##suffix##_##format);

FOR_EVERY_FORMAT(EMBED, float, f32)
FOR_EVERY_FORMAT(EMBED, bf16, bf16)
