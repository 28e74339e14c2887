/* What is done to logits before a token is drawn, and what is told of them afterwards. */
#include "numbers.cuh"
#include "rows.cuh"

static constexpr int THREADS = 256;
static constexpr int ROW_THREADS = 1024; /* where a block has a whole row */
static constexpr unsigned IN_PROMPT = 0x80000000u;

struct Penalty {
  float repetition; /* divides positive, multiplies negative logits of what was seen; 1: none */
  float presence;   /* subtracted once from what is in the answer */
  float frequency;  /* subtracted for each time that it is */
};

/*
 * Counts a token of each row for its slot: `counts` is [slots][vocabulary], times in the answer, with
 * the highest bit set for what the prompt holds. Tokens below 0 count for nothing.
 */
KERNEL count_tokens(unsigned *counts, int vocabulary, const int *slots, const int *tokens, int rows,
                    int in_prompt) {
  begin();
  int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows || tokens[row] < 0) return;
  unsigned *count = counts + (size_t)slots[row] * vocabulary + tokens[row];
  if (in_prompt) atomicOr(count, IN_PROMPT);
  else atomicAdd(count, 1u);
}
EXPORT(count_tokens);

KERNEL penalise_f32(const float *logits, int stride, int vocabulary, const int *slots,
                    const unsigned *counts, const Penalty *penalties, float *out, int out_stride) {
  begin();
  size_t row = blockIdx.x;
  int i = blockIdx.y * THREADS + threadIdx.x;
  if (i >= vocabulary) return;
  float logit = logits[row * stride + i];
  unsigned seen = counts[(size_t)slots[row] * vocabulary + i], times = seen & ~IN_PROMPT;
  Penalty p = penalties[row];
  if (seen) logit = logit > 0 ? logit / p.repetition : logit * p.repetition;
  if (times) logit = logit - p.presence - times * p.frequency;
  out[row * out_stride + i] = logit;
}
EXPORT(penalise_f32);

/* Adds to single logits, {row, token} each; no two alike. To add -infinity is to ban. */
KERNEL add_bias_f32(float *logits, int stride, const int2 *places, const float *values, int count) {
  begin();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) logits[(size_t)places[i].x * stride + places[i].y] += values[i];
}
EXPORT(add_bias_f32);

/* The sum of all probabilities is the exponential of both together; apart they are more exact. */
struct LogSum {
  float largest;
  float log;
};

__device__ __forceinline__ LogSum log_sum(const float *row, int vocabulary, float *scratch) {
  float largest = -INFINITY;
  for_each<ROW_THREADS>(row, vocabulary, [&](int, float logit) { largest = fmaxf(largest, logit); });
  largest = block_max<ROW_THREADS / 32>(largest, scratch);
  float sum = 0;
  for_each<ROW_THREADS>(row, vocabulary, [&](int, float logit) { sum += expf(logit - largest); });
  return {largest, logf(block_sum<ROW_THREADS / 32>(sum, scratch))};
}

/*
 * The log-probability of one token of each row, and its rank: 1 for the likeliest; equals share the
 * better one. For a token below 0: NaN and 0.
 */
KERNEL __launch_bounds__(ROW_THREADS) logprobs_f32(const float *logits, int stride, int vocabulary,
                                                   const int *tokens, float *logprobs, int *ranks) {
  begin();
  SHARED(float, scratch, ROW_THREADS / 32);
  SHARED(int, better, 1);
  const float *row = logits + (size_t)blockIdx.x * stride;
  int token = tokens[blockIdx.x];
  if (threadIdx.x == 0) *better = 0;
  LogSum all = log_sum(row, vocabulary, scratch);
  float own = token < 0 ? INFINITY : row[token];
  int larger = 0;
  for_each<ROW_THREADS>(row, vocabulary, [&](int, float logit) { larger += logit > own; });
  atomicAdd(better, larger);
  __syncthreads();
  if (threadIdx.x == 0) {
    logprobs[blockIdx.x] = token < 0 ? NAN : own - all.largest - all.log;
    ranks[blockIdx.x] = token < 0 ? 0 : *better + 1;
  }
}
EXPORT(logprobs_f32);

struct Candidate {
  int token;
  float logit;
};

/* The likeliest of this thread's tokens that comes after a token; the id `vocabulary` if none does. */
__device__ __forceinline__ Candidate best_after(Candidate last, const float *row, int vocabulary) {
  Candidate best = {vocabulary, -INFINITY};
  for_each<ROW_THREADS>(row, vocabulary, [&](int i, float logit) {
    bool after = logit < last.logit || (logit == last.logit && i > last.token);
    if (after && (best.token == vocabulary || logit > best.logit)) best = {i, logit};
  });
  return best;
}

/*
 * The likeliest tokens of each row, best first, of equals the lower id: ids and logprobs
 * [rows][count]. Each thread holds the best that is left of its own tokens, so that only the one whose
 * token is taken has to look again.
 */
KERNEL __launch_bounds__(ROW_THREADS) top_f32(const float *logits, int stride, int vocabulary,
                                              int count, int *ids, float *logprobs) {
  begin();
  SHARED(float, scratch, ROW_THREADS / 32);
  SHARED(int, first, 1);
  const float *row = logits + (size_t)blockIdx.x * stride;
  LogSum all = log_sum(row, vocabulary, scratch);
  Candidate best = best_after({-1, INFINITY}, row, vocabulary);
  for (int n = 0; n < count; n++) {
    if (threadIdx.x == 0) *first = vocabulary;
    float most = block_max<ROW_THREADS / 32>(best.logit, scratch);
    if (best.logit == most) atomicMin(first, best.token);
    __syncthreads();
    if (threadIdx.x == 0) {
      ids[(size_t)blockIdx.x * count + n] = *first;
      logprobs[(size_t)blockIdx.x * count + n] = most - all.largest - all.log;
    }
    if (best.token == *first) best = best_after(best, row, vocabulary);
    __syncthreads();  // everybody has read which is taken
  }
}
EXPORT(top_f32);
