/* How a block of threads goes through a row of logits, which is long and lies anywhere. */
#ifndef MILLRACE_ROWS_CUH
#define MILLRACE_ROWS_CUH

#include "primitives.cuh"

/*
 * visit(index, number) for each number of a row, shared out to the THREADS of a block; each of them
 * goes upwards. Sixteen numbers of a thread are on their way at a time, as one multiprocessor alone
 * would otherwise wait for memory more than it reads.
 */
template <int THREADS, class Visit>
__device__ __forceinline__ void for_each(const float *row, int count, Visit visit) {
  constexpr int AHEAD = 4;
  int thread = threadIdx.x;
  int head = min(count, (int)(-(reinterpret_cast<uintptr_t>(row) / sizeof(float)) % 4));
  int vectors = (count - head) / 4;
  const float4 *body = reinterpret_cast<const float4 *>(row + head);
  if (thread < head) visit(thread, row[thread]);
  for (int first = thread; first < vectors; first += AHEAD * THREADS) {
    float4 read[AHEAD];
#pragma unroll
    for (int j = 0; j < AHEAD; j++)
      if (first + j * THREADS < vectors) read[j] = body[first + j * THREADS];
#pragma unroll
    for (int j = 0; j < AHEAD; j++) {
      if (first + j * THREADS >= vectors) break;
      int i = head + 4 * (first + j * THREADS);
      visit(i, read[j].x);
      visit(i + 1, read[j].y);
      visit(i + 2, read[j].z);
      visit(i + 3, read[j].w);
    }
  }
  int tail = head + 4 * vectors + thread;
  if (tail < count) visit(tail, row[tail]);
}

struct Extremes {
  float largest;  /* infinite if a logit is, or is no number */
  float smallest; /* of those that are not -infinity */
  int token;      /* the first with the largest */
};

/* Of a row, for a whole block; `scratch` has room for one a warp. */
template <int THREADS>
__device__ __forceinline__ Extremes extremes(const float *row, int count, float *scratch, int *first) {
  float largest = -INFINITY, smallest = INFINITY;
  int token = 0;
  if (threadIdx.x == 0) *first = count;
  for_each<THREADS>(row, count, [&](int i, float logit) {
    if (logit > largest) {
      largest = logit;
      token = i;
    }
    if (!(logit < INFINITY)) largest = INFINITY;
    if (logit > -INFINITY) smallest = fminf(smallest, logit);
  });
  float all = block_max<THREADS / 32>(largest, scratch);
  if (largest == all) atomicMin(first, token);
  smallest = -block_max<THREADS / 32>(-smallest, scratch);
  return {all, smallest, *first};
}

#endif
