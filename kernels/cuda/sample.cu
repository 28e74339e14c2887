/*
 * Draws a token of each row of logits without sorting them. In descending order of logits, of equals
 * the first, whatever top-k, top-p and min-p leave is a beginning, and so is what lies before a
 * draw: all that has to be found is at which logit a number of tokens, or a sum of their weights, is
 * reached. That is a descent through the 32 bits of a logit, eight at a time, by histograms. Weights
 * are whole numbers of 2^-40 of the largest, so their sums do not depend on the order of additions,
 * and a row's token does not depend on other rows.
 */
#include "numbers.cuh"

using Whole = unsigned long long;

static constexpr int THREADS = 256; /* as many as a digit has values */
static constexpr float ONE = 0x1p40f;

struct Settings {
  float temperature; /* 0: the likeliest */
  float top_p;       /* 1: all */
  float min_p;       /* 0: all */
  int top_k;         /* 0: all */
  Whole seed;
  Whole index; /* of the draw among those of its request */
};

struct Row {
  const float *logits;
  int vocabulary;
  float largest;
  float temperature;

  __device__ __forceinline__ Whole weight(float logit) const {
    return (Whole)(expf((logit - largest) / temperature) * ONE);
  }
};

/* Orders like the logits; -0 is 0. */
__device__ __forceinline__ unsigned key_of(float logit) {
  unsigned bits = as_bits(logit + 0.0f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
__device__ __forceinline__ float logit_of(unsigned key) {
  return as_float(key & 0x80000000u ? key & 0x7fffffffu : ~key);
}

__device__ __forceinline__ Whole mixed(Whole value) {
  Whole z = value + 0x9E3779B97F4A7C15ull;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}
/* In [0, 1), from nothing but seed and index (SplitMix64). */
__device__ __forceinline__ double uniform(Whole seed, Whole index) {
  return (double)(mixed(mixed(seed) + index * 0x9E3779B97F4A7C15ull) >> 11) * 0x1p-53;
}

/* A logit, and what lies above it. */
struct Place {
  unsigned key;
  Whole count;
  Whole mass;
};

struct Histogram {
  Whole *counts; /* [THREADS] each */
  Whole *masses;
  Place *found;
};

/* Replaces each number by the sum of those above it. */
__device__ __forceinline__ void sum_above(Whole *numbers) {
  int thread = threadIdx.x;
  Whole own = numbers[thread];
  for (int step = 1; step < THREADS; step *= 2) {
    Whole above = thread + step < THREADS ? numbers[thread + step] : 0;
    __syncthreads();
    numbers[thread] += above;
    __syncthreads();
  }
  numbers[thread] -= own;
}

/* The logit at which the count of tokens, or their mass, first exceeds `target`. */
__device__ Place find(const Row &row, Whole target, bool by_mass, const Histogram &h) {
  Place place = {0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) {
    h.counts[threadIdx.x] = 0;
    h.masses[threadIdx.x] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < row.vocabulary; i += THREADS) {
      unsigned key = key_of(row.logits[i]);
      if (shift == 24 || key >> (shift + 8) == place.key >> (shift + 8)) {
        atomicAdd(&h.counts[key >> shift & 255], (Whole)1);
        atomicAdd(&h.masses[key >> shift & 255], row.weight(row.logits[i]));
      }
    }
    __syncthreads();
    Whole count = h.counts[threadIdx.x], mass = h.masses[threadIdx.x];
    sum_above(h.counts);
    sum_above(h.masses);
    Whole count_above = place.count + h.counts[threadIdx.x];
    Whole mass_above = place.mass + h.masses[threadIdx.x];
    Whole above = by_mass ? mass_above : count_above;
    if (above <= target && target < above + (by_mass ? mass : count))
      *h.found = {place.key | (unsigned)threadIdx.x << shift, count_above, mass_above};
    __syncthreads();
    place = *h.found;
    __syncthreads();  // the next digit may be written
  }
  return place;
}

/* The id of the n-th token, from 0, whose logit has this key. */
__device__ int nth(const Row &row, unsigned key, Whole n, const Histogram &h) {
  Whole before = 0;
  for (int first = 0; first < row.vocabulary; first += THREADS) {
    int i = first + threadIdx.x;
    bool equal = i < row.vocabulary && key_of(row.logits[i]) == key;
    h.counts[THREADS - 1 - threadIdx.x] = equal;
    __syncthreads();
    sum_above(h.counts);
    __syncthreads();  // a thread's own cell is another's to sum
    Whole rank = before + h.counts[THREADS - 1 - threadIdx.x];
    if (equal && rank == n) h.found->key = i;
    if (threadIdx.x == THREADS - 1) h.found->count = rank + equal;
    __syncthreads();
    before = h.found->count;
    int token = h.found->key;
    __syncthreads();
    if (before > n) return token;
  }
  return -1;
}

/* The largest logit of a row; infinite if one is, or is no number. */
__device__ __forceinline__ float largest_of(const float *logits, int vocabulary, float *scratch) {
  float largest = -INFINITY;
  for (int i = threadIdx.x; i < vocabulary; i += THREADS)
    largest = logits[i] < INFINITY ? fmaxf(largest, logits[i]) : INFINITY;
  return block_max<THREADS / 32>(largest, scratch);
}

/* Mass of the tokens that are at least min_p times as likely as the likeliest. */
__device__ __forceinline__ Whole mass_of(const Row &row, float min_p, Whole *scratch) {
  if (threadIdx.x == 0) *scratch = 0;
  __syncthreads();
  Whole least = (Whole)(min_p * ONE), sum = 0;
  for (int i = threadIdx.x; i < row.vocabulary; i += THREADS) {
    Whole weight = row.weight(row.logits[i]);
    if (weight >= least) sum += weight;
  }
  atomicAdd(scratch, sum);
  __syncthreads();
  Whole mass = *scratch;
  __syncthreads();  // what comes next writes there
  return mass;
}

/*
 * tokens[r] of row r; -1 if a logit is NaN or +infinity, or all are -infinity. The order of cuts is
 * top-k, top-p, min-p.
 */
KERNEL __launch_bounds__(THREADS) sample_f32(const float *logits, int stride, int vocabulary,
                                             const Settings *settings, int *tokens) {
  SHARED(Whole, counts, THREADS);
  SHARED(Whole, masses, THREADS);
  SHARED(Place, found, 1);
  SHARED(float, scratch, THREADS / 32);
  Histogram h = {counts, masses, found};
  Settings s = settings[blockIdx.x];
  Row row = {logits + (size_t)blockIdx.x * stride, vocabulary, 0, s.temperature};
  row.largest = largest_of(row.logits, vocabulary, scratch);
  int token;
  if (!(row.largest < INFINITY) || row.largest == -INFINITY) {
    token = -1;
  } else if (s.temperature == 0) {
    token = nth(row, key_of(row.largest), 0, h);
  } else {
    Whole total = mass_of(row, s.min_p, masses);
    if (s.top_k > 0 || s.top_p < 1) {
      Whole whole = s.min_p > 0 ? mass_of(row, 0, masses) : total;
      if (s.top_k > 0 && s.top_k < vocabulary) {
        Place last = find(row, s.top_k - 1, false, h);
        whole = last.mass + (s.top_k - last.count) * row.weight(logit_of(last.key));
      }
      if (s.top_p < 1) {
        Whole enough = max((Whole)1, (Whole)ceil((double)s.top_p * (double)whole));
        Place last = find(row, min(enough, whole) - 1, true, h);
        Whole weight = row.weight(logit_of(last.key));
        whole = last.mass + ((min(enough, whole) - 1 - last.mass) / weight + 1) * weight;
      }
      total = min(total, whole);
    }
    Whole target = min((Whole)(uniform(s.seed, s.index) * (double)total), total - 1);
    Place drawn = find(row, target, true, h);
    token = nth(row, drawn.key, (target - drawn.mass) / row.weight(logit_of(drawn.key)), h);
  }
  if (threadIdx.x == 0) tokens[blockIdx.x] = token;
}
EXPORT(sample_f32);
