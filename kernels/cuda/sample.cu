/*
 * Draws a token of each row of logits without sorting them. In descending order of logits, of equals
 * the first, whatever top-k, top-p and min-p leave is a beginning, and so is what lies before a
 * draw: all that has to be found is the token at which a number of tokens, or a sum of their weights,
 * is reached. Tokens are counted in bins by how far they lie below the largest logit. The counts tell
 * about where the sum is reached; the weights before that place are then summed up exactly, and only
 * the tokens about it are sorted. Weights are whole numbers of 2^-40 of the largest, so their sums do
 * not depend on the order of additions, and a row's token does not depend on other rows.
 */
#include "numbers.cuh"
#include "rows.cuh"

using Whole = unsigned long long;

static constexpr int THREADS = 512;
static constexpr int WARPS = THREADS / 32;
static constexpr int BINS_EACH = 8; /* that a thread sums up */
static constexpr int BINS = BINS_EACH * THREADS;
static constexpr int ROOM = 2 * THREADS; /* for tokens that are sorted */
static constexpr float ONE = 0x1p40f;
static constexpr float HALVINGS = 40.01f; /* after which nothing is left of ONE */

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
  float steepness; /* by how many halvings the weight falls where the logit falls by 1 */
  float bins;      /* in which the logit falls by 1 */

  __device__ __forceinline__ Row(const float *logits, int vocabulary, const Extremes &found,
                                 float temperature)
      : logits(logits), vocabulary(vocabulary), largest(found.largest) {
    steepness = fminf(1.44269504f / temperature, 0x1p100f);
    float depth = fminf(HALVINGS / steepness, largest - found.smallest);
    bins = fminf((BINS - 1) / depth, 0x1p100f);
  }

  __device__ __forceinline__ Whole weight_below(float distance) const {
    return (Whole)(exp2_approximate(-distance * steepness) * ONE);
  }
  __device__ __forceinline__ Whole weight(float logit) const { return weight_below(largest - logit); }

  /* Never falls where the logit falls; BINS or more for what weighs nothing, if not before. */
  __device__ __forceinline__ unsigned bin(float logit) const {
    return as_bits(fmaf(largest - logit, bins, 0x1p23f)) - 0x4b000000u; /* the bits of 2^23 */
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

/* A token and its logit, less than those that come later. */
__device__ __forceinline__ Whole entry_of(int token, float logit) {
  return (Whole)~key_of(logit) << 32 | (unsigned)token;
}
__device__ __forceinline__ float logit_in(Whole entry) { return logit_of(~(unsigned)(entry >> 32)); }

/* In shared memory. */
struct Board {
  unsigned *counts; /* [BINS]: tokens up to the end of each bin */
  Whole *entries;   /* [ROOM]: tokens of the window in order */
  Whole *masses;    /* [ROOM]: weight up to and with each of them */
  Whole *scratch;   /* [WARPS] */
  int *number;
};

/* A token, and the weight of it and all before it. */
struct Place {
  int token;
  Whole mass;
};

/* Successive bins whose tokens stand on the board, and the weight before them and up to their end. */
struct Window {
  int first;
  int last;
  Whole mass_before;
  Whole mass;
};

/* The sum of x over this thread and those before it. */
__device__ __forceinline__ Whole sum_up_to(Whole x, Whole *scratch) {
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (int step = 1; step < 32; step *= 2) {
    Whole before = shuffle(x, (lane - step) & 31);
    if (lane >= step) x += before;
  }
  __syncthreads();  // whoever still reads earlier sums
  if (lane == 31) scratch[warp] = x;
  __syncthreads();
  for (int i = 0; i < warp; i++) x += scratch[i];
  return x;
}
__device__ __forceinline__ Whole sum_of_all(Whole x, Whole *scratch) {
  x = warp_sum(x);
  __syncthreads();
  if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
  __syncthreads();
  return warp_sum(threadIdx.x % 32 < WARPS ? scratch[threadIdx.x % 32] : 0);
}

/* The first place of an ascending array that holds more than `bound`; `count` if none does. */
template <class T>
__device__ __forceinline__ int first_above(const T *array, int count, T bound) {
  int from = 0;
  while (from < count) {
    int middle = (from + count) / 2;
    if (array[middle] > bound) count = middle;
    else from = middle + 1;
  }
  return from;
}

__device__ __forceinline__ unsigned count_before(const Board &board, int bin) {
  return bin == 0 ? 0 : board.counts[bin - 1];
}

/* Weights: of all tokens, and of those at least min_p times as likely as the likeliest. */
struct Totals {
  Whole all;
  Whole likely;
};

__device__ Totals count(const Row &row, float min_p, const Board &board) {
  for (int i = threadIdx.x; i < BINS; i += THREADS) board.counts[i] = 0;
  __syncthreads();
  Whole least = (Whole)(min_p * ONE), all = 0, likely = 0;
  for_each<THREADS>(row.logits, row.vocabulary, [&](int, float logit) {
    unsigned bin = row.bin(logit);
    if (bin >= BINS) return;
    atomicAdd(&board.counts[bin], 1u);
    Whole weight = row.weight(logit);
    all += weight;
    if (weight >= least) likely += weight;
  });
  all = sum_of_all(all, board.scratch);
  likely = sum_of_all(likely, board.scratch);
  unsigned *own = board.counts + BINS_EACH * threadIdx.x;
  for (int i = 1; i < BINS_EACH; i++) own[i] += own[i - 1];
  unsigned sum = own[BINS_EACH - 1];
  unsigned before = sum_up_to(sum, board.scratch) - sum;
  for (int i = 0; i < BINS_EACH; i++) own[i] += before;
  __syncthreads();
  return {all, likely};
}

/*
 * The bin of those from `first` to `last` in which the mass should exceed the target, were each token
 * in the middle of its bin. `mass` is that before the first.
 */
__device__ int guess(const Row &row, const Board &board, Whole target, int first, int last, Whole mass) {
  Whole masses[BINS_EACH], sum = 0;
  for (int i = 0; i < BINS_EACH; i++) {
    int bin = BINS_EACH * threadIdx.x + i;
    unsigned tokens = board.counts[bin] - count_before(board, bin);
    masses[i] = bin < first || bin > last ? 0 : tokens * row.weight_below(bin / row.bins);
    sum += masses[i];
  }
  mass += sum_up_to(sum, board.scratch) - sum;
  if (threadIdx.x == 0) *board.number = last;
  __syncthreads();  // who knows better writes after it
  for (int i = 0; i < BINS_EACH; i++) {
    if (mass <= target && target < mass + masses[i])
      *board.number = BINS_EACH * threadIdx.x + i;
    mass += masses[i];
  }
  __syncthreads();
  return *board.number;
}

/* Sorts that many entries, by Batcher's bitonic network: a thread has a pair in each of its steps. */
__device__ void sort(Whole *entries, int count) {
  int thread = threadIdx.x, width = 1;
  while (width < count) width *= 2;
  for (int i = count + thread; i < width; i += THREADS) entries[i] = ~(Whole)0;
  __syncthreads();
  for (int run = 2; run <= width; run *= 2) {
    for (int step = run / 2; step > 0; step /= 2) {
      int i = 2 * thread - (thread & (step - 1)), j = i + step;
      if (j < width) {
        Whole a = entries[i], b = entries[j];
        if ((a > b) == ((i & run) == 0)) {
          entries[i] = b;
          entries[j] = a;
        }
      }
      __syncthreads();
    }
  }
}

/*
 * A window with this bin, whose tokens there is room for, and as many others of those from `first` to
 * `last` as well: mostly before it, as what is looked for next is there.
 */
__device__ Window around(const Board &board, int bin, int first, int last) {
  const unsigned *counts = board.counts;
  unsigned limit = min(counts[bin] + ROOM / 4, count_before(board, bin) + ROOM);
  Window window = {first, last, 0, 0};
  window.last = min(last, first_above(counts, BINS, limit) - 1);
  unsigned end = counts[window.last];
  if (end > ROOM) window.first = max(first, first_above(counts, BINS, end - ROOM - 1) + 1);
  return window;
}

/* Puts the tokens of a window on the board. */
__device__ void gather(const Row &row, const Board &board, Window &window) {
  unsigned first = window.first, last = window.last;
  __syncthreads();  // whoever still reads the board
  if (threadIdx.x == 0) *board.number = 0;
  __syncthreads();
  Whole before = 0;
  for_each<THREADS>(row.logits, row.vocabulary, [&](int token, float logit) {
    unsigned bin = row.bin(logit);
    if (bin < first) before += row.weight(logit);
    else if (bin <= last)
      board.entries[atomicAdd(board.number, 1)] = entry_of(token, logit);
  });
  window.mass_before = sum_of_all(before, board.scratch);
  int count = *board.number;
  sort(board.entries, count);
  int own = 2 * threadIdx.x;
  Whole one = own < count ? row.weight(logit_in(board.entries[own])) : 0;
  Whole other = own + 1 < count ? row.weight(logit_in(board.entries[own + 1])) : 0;
  Whole mass = window.mass_before + sum_up_to(one + other, board.scratch);
  board.masses[own] = mass - other;
  board.masses[own + 1] = mass;
  __syncthreads();
  window.mass = board.masses[ROOM - 1];
}

/* Weight, or number, of the tokens from a key on upwards. */
__device__ Whole sum_from(const Row &row, unsigned key, bool by_mass, Whole *scratch) {
  Whole sum = 0;
  for_each<THREADS>(row.logits, row.vocabulary, [&](int, float logit) {
    if (key_of(logit) >= key) sum += by_mass ? row.weight(logit) : 1;
  });
  return sum_of_all(sum, scratch);
}

/* The id of the n-th token, from 0, whose logit has this key: each warp has a stretch of the row. */
__device__ int nth(const Row &row, unsigned key, Whole n, const Board &board) {
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int stretch = (row.vocabulary + THREADS - 1) / THREADS * 32;
  int from = warp * stretch, end = min(row.vocabulary, from + stretch);
  Whole sum = 0;
  for (int i = from + lane; i < end; i += 32) sum += key_of(row.logits[i]) == key;
  sum = warp_sum(sum);
  Whole before = sum_up_to(lane == 0 ? sum : 0, board.scratch) - (lane == 0 ? sum : 0);
  before = shuffle(before, 0);
  for (int i = from; i < end && before <= n; i += 32) {
    bool equal = i + lane < end && key_of(row.logits[i + lane]) == key;
    unsigned equals = lanes_where(equal);
    if (equal && before + __popc(equals & ((1u << lane) - 1)) == n) *board.number = i + lane;
    before += __popc(equals);
  }
  __syncthreads();
  return *board.number;
}

/* As `find`, for any row: the bits of the logit one by one, the highest first. */
__device__ OUT_OF_LINE Place find_bitwise(Row row, Board board, Whole target, bool by_mass) {
  unsigned key = 0;
  for (unsigned bit = 1u << 31; bit != 0; bit >>= 1)
    if (sum_from(row, key | bit, by_mass, board.scratch) > target) key |= bit;
  Whole mass = sum_from(row, key + 1, true, board.scratch);
  Whole weight = row.weight(logit_of(key));
  Whole n = by_mass ? (target - mass) / weight
                    : target - sum_from(row, key + 1, false, board.scratch);
  return {nth(row, key, n, board), mass + (n + 1) * weight};
}

/* The token with which the number of tokens, or their mass, first exceeds `target`. */
__device__ Place find(const Row &row, const Board &board, Window &window, Whole target, bool by_mass) {
  int first = 0, last = BINS - 1;
  Whole mass = 0;
  for (;;) {
    unsigned before = count_before(board, window.first);
    if (by_mass ? window.mass_before <= target && target < window.mass
                : before <= target && target < count_before(board, window.last + 1)) {
      int rank = by_mass ? first_above(board.masses, ROOM, target) : target - before;
      return {(int)board.entries[rank], board.masses[rank]};
    }
    int bin = by_mass ? guess(row, board, target, first, last, mass)
                      : first_above(board.counts, BINS, (unsigned)target);
    if (board.counts[bin] - count_before(board, bin) > ROOM)
      return find_bitwise(row, board, target, by_mass);
    window = around(board, bin, first, last);
    gather(row, board, window);
    if (target < window.mass_before) {
      last = window.first - 1;
    } else {
      first = window.last + 1;
      mass = window.mass;
    }
  }
}

enum Step { TOP_K, TOP_P, DRAW };

/* What to find in a step. */
struct Goal {
  bool wanted;
  bool by_mass;
  Whole target;
};

/* `mass` is what the cuts before have left. */
__device__ Goal goal_of(int step, const Settings &s, Whole likely, Whole mass, unsigned counted) {
  if (step == TOP_K)  // what was not counted weighs nothing
    return {s.top_k > 0 && (unsigned)s.top_k <= counted, false, (Whole)s.top_k - 1};
  if (step == TOP_P) {
    Whole enough = max((Whole)1, (Whole)ceil((double)s.top_p * (double)mass));
    return {s.top_p < 1, true, min(enough, mass) - 1};
  }
  Whole total = min(likely, mass);
  return {true, true, min((Whole)(uniform(s.seed, s.index) * (double)total), total - 1)};
}

__device__ int drawn(const Row &row, const Board &board, const Settings &s) {
  Totals totals = count(row, s.min_p, board);
  Window window = {0, -1, 0, 0};
  Place place = {0, totals.all};
#pragma unroll 1  // `find` is long
  for (int step = TOP_K; step <= DRAW; step++) {
    Goal goal = goal_of(step, s, totals.likely, place.mass, board.counts[BINS - 1]);
    if (goal.wanted) place = find(row, board, window, goal.target, goal.by_mass);
  }
  return place.token;
}

/*
 * tokens[r] of row r; -1 if a logit is NaN or +infinity, or all are -infinity. The order of cuts is
 * top-k, top-p, min-p.
 */
KERNEL __launch_bounds__(THREADS) sample_f32(const float *logits, int stride, int vocabulary,
                                             const Settings *settings, int *tokens) {
  begin();
  SHARED(unsigned, counts, BINS);
  SHARED(Whole, entries, ROOM);
  SHARED(Whole, masses, ROOM);
  SHARED(Whole, scratch, WARPS);
  SHARED(float, maxima, WARPS);
  SHARED(int, number, 1);
  Settings s = settings[blockIdx.x];
  const float *own = logits + (size_t)blockIdx.x * stride;
  Extremes found = extremes<THREADS>(own, vocabulary, maxima, number);
  int token = found.token;
  if (found.largest == INFINITY || found.largest == -INFINITY) {
    token = -1;
  } else if (s.temperature > 0) {
    Board board = {counts, entries, masses, scratch, number};
    Row row(own, vocabulary, found, s.temperature);
    token = drawn(row, board, s);
  }
  if (threadIdx.x == 0) tokens[blockIdx.x] = token;
}
EXPORT(sample_f32);
