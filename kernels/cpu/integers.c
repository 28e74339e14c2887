/*
 * y = x W^T + b with activations as bytes (quantise.c) and weights as the codes of INT8 and INT4,
 * multiplied and summed as integers over 16 columns by vpdpbusd, then scaled and summed in F32.
 *
 * Weights are unsigned bytes here: their codes, of INT8 plus 128. What that adds, and the 8 that
 * INT4 means by 0, is taken off again with the sum of the activations' codes, as integers; the zeros
 * of formats that have them are multiplied with it in F32.
 *
 * An output is one chain per lane over tiles in ascending order, then the sum of the lanes, whatever
 * block it is computed in: so its bits depend on its own row of x and of W alone.
 */
#include "integers.h"

/* Rows whose tiles are in registers together. */
#define PAIR 2

/* Rows whose sums over lanes are made together. */
#define OUTPUTS 4

/* Rows that pass a tile of so many tokens before the next: it and their sums stay in the L1 cache. */
#define ROWS 32
#define TOKENS 16

/* With so few tokens two rows pass whole, as memory gives them. */
#define FEW 2

/* How many rows ahead weights are fetched. */
#define AHEAD 8

/* How a matrix's tiles are read, and where the scales of their lanes lie. */
struct plan {
  const struct matrix *m;
  long nibbles;
  long zeros;
  unsigned shift;    /* unsigned codes are 1 << shift more than the numbers that are scaled */
  __mmask16 centred; /* no lanes where they are these numbers */
  long groups;       /* of a tile; 0 where all columns are one */
  long line_part;    /* a tile's share of a line's bytes */
  __m512i lanes;     /* the group of each lane; of its first 16 columns, where these are groups */
};

INLINE struct plan plan_of(const struct matrix *m) {
  int nibbles = m->format == INT4 || m->format == INT4_ZEROS;
  struct plan p = {.m = m,
                   .nibbles = nibbles,
                   .zeros = m->format == INT4_ZEROS || m->format == INT8_ZEROS,
                   .shift = nibbles ? 3 : 7,
                   .centred = m->format == INT4_ZEROS ? 0 : 0xffff,
                   .groups = 0,
                   .line_part = m->line_bytes / tiles_of(m->columns) + 1,
                   .lanes = _mm512_setzero_si512()};
  if (m->group_columns) {
    p.groups = TILE / m->group_columns;
    p.lanes = m->group_columns == 16
        ? _mm512_slli_epi32(run_of_lane(), 1)
        : _mm512_srli_epi32(run_of_lane(), (unsigned)m->group_shift - 5);
  }
  return p;
}

/* The numbers of a tile's lanes, and of their second halves, from those of a row's groups. */
INLINE void of_lanes(const struct plan *p, const char *numbers, long tile, const int halves,
                     __m512 *out) {
  long first = tile * p->groups;
  enum scale_type type = (enum scale_type)p->m->scale_type;
  __m512 low = numbers_from(p->m, type, numbers, first);
  if (halves) {
    __m512 high = numbers_from(p->m, type, numbers, first + 16);
    out[0] = _mm512_permutex2var_ps(low, p->lanes, high);
    out[1] = _mm512_permutex2var_ps(low, _mm512_or_si512(p->lanes, _mm512_set1_epi32(1)), high);
  } else {
    out[0] = _mm512_permutexvar_ps(p->lanes, low);
  }
}

/* Where a row of weights lies. */
struct place {
  const char *numbers;
  const char *scales;
  const char *zeros;
};

INLINE struct place place_of(const struct matrix *m, long row) {
  return (struct place){m->numbers + row * m->row_bytes, line_at(m, INT4, m->scales, row),
                       line_at(m, INT4, m->behind, row)};
}

INLINE void codes_of(const struct plan *p, const struct place *l, long tile, const int whole,
                     const int nibbles, __m512i *v) {
  if (nibbles) {
    long done = tile * (TILE / 2);
    tile_of_nibbles(l->numbers + done, whole ? TILE / 2 : p->m->row_bytes - done, v);
  } else {
    long done = tile * TILE;
    tile_of_bytes(l->numbers + done, whole ? TILE : p->m->columns - done, v);
#pragma GCC unroll 8
    for (int i = 0; i < VECTORS; i++) v[i] = _mm512_xor_si512(v[i], _mm512_set1_epi8(-128));
  }
}

/* A row's tile. */
struct tile {
  __m512i codes[VECTORS];
  __m512 scales[2]; /* of runs' first and second 16 columns, which are one where groups are larger */
  __m512 zeros[2];
};

INLINE void read_tile(const struct plan *p, const struct place *l, long number, const int whole,
                      const int nibbles, const int halves, struct tile *t) {
  codes_of(p, l, number, whole, nibbles, t->codes);
  of_lanes(p, l->scales, number, halves, t->scales);
  t->zeros[0] = t->zeros[1] = all(0);
  if (p->zeros) of_lanes(p, l->zeros, number, halves, t->zeros);
}

/* The first or the second 16 columns of a tile's runs times those of a token, as integers. */
INLINE __m512 product_of(const struct plan *p, const struct tile *w, const struct activations *x,
                         const int half) {
  __m512i sum = _mm512_loadu_si512(x->sums[half]);
  sum = _mm512_maskz_slli_epi32(p->centred, sum, p->shift);
#pragma GCC unroll 4
  for (int i = 4 * half; i < 4 * half + 4; i++)
    sum = _mm512_dpbusd_epi32(sum, w->codes[i], _mm512_loadu_si512(x->codes[i]));
  return _mm512_cvtepi32_ps(sum);
}

/* Tiles of two rows times some tokens; their sums lie TOKENS apart. */
INLINE void multiply(const struct plan *p, const struct tile *w, const struct activations *x,
                     long tokens, __m512 *sums, const int halves) {
  long tiles = tiles_of(p->m->columns);
  for (long token = 0; token < tokens; token++, x += tiles) {
    __m512 first = load(x->scales[0]), second = load(x->scales[1]);
#pragma GCC unroll 2
    for (int r = 0; r < PAIR; r++) {
      const struct tile *t = w + r;
      __m512 sum = sums[r * TOKENS + token];
      __m512 products = mul(product_of(p, t, x, 0), first);
      if (halves) {
        sum = fma_(products, t->scales[0], sum);
        sum = fma_(mul(product_of(p, t, x, 1), second), t->scales[1], sum);
      } else {
        sum = fma_(fma_(product_of(p, t, x, 1), second, products), t->scales[0], sum);
      }
      if (p->zeros) {
        __m512 shift = mul(_mm512_cvtepi32_ps(_mm512_loadu_si512(x->sums[0])), first);
        sum = fma_(shift, t->zeros[0], sum);
        shift = mul(_mm512_cvtepi32_ps(_mm512_loadu_si512(x->sums[1])), second);
        sum = fma_(shift, t->zeros[halves], sum);
      }
      sums[r * TOKENS + token] = sum;
    }
  }
}

/* The outputs of the first OUTPUTS of `rows` rows for some tokens. */
INLINE void put(const struct operands *o, long row, long rows, long token, long tokens,
                const __m512 *sums) {
  __mmask8 mask = (__mmask8)((1 << (rows < OUTPUTS ? rows : OUTPUTS)) - 1);
  __m128 bias = o->bias ? _mm_maskz_loadu_ps(mask, o->bias + row) : _mm_setzero_ps();
  for (long t = 0; t < tokens; t++) {
    const __m512 *s = sums + t;
    __m128 y = _mm_add_ps(sums_of(s[0], s[TOKENS], s[2 * TOKENS], s[3 * TOKENS]), bias);
    _mm_mask_storeu_ps(o->out + (token + t) * o->out_stride + row, mask, y);
  }
}

/* Fetches what a row far ahead has in this tile. */
INLINE void fetch(const struct plan *p, const struct place *l, long tile, const int nibbles) {
  const char *numbers = l->numbers + AHEAD * p->m->row_bytes + (tile * TILE >> nibbles);
#pragma GCC unroll 8
  for (int i = 0; i < VECTORS >> nibbles; i++) _mm_prefetch(numbers + 64 * i, _MM_HINT_T0);
  long part = AHEAD * p->m->line_bytes + tile * p->line_part;
  for (long i = 0; i < p->line_part; i += 64) {
    _mm_prefetch(l->scales + part + i, _MM_HINT_T0);
    if (p->zeros) _mm_prefetch(l->zeros + part + i, _MM_HINT_T0);
  }
}

/* A tile of two rows times some tokens. */
INLINE void pair(const struct plan *p, const struct place *lines, const struct activations *x,
                 long tile, long tokens, __m512 *sums, const int whole, const int nibbles,
                 const int halves) {
  struct tile w[PAIR];
#pragma GCC unroll 2
  for (int r = 0; r < PAIR; r++) {
    fetch(p, lines + r, tile, nibbles);
    read_tile(p, lines + r, tile, whole, nibbles, halves, w + r);
  }
  multiply(p, w, x + tile, tokens, sums, halves);
}

/* Up to ROWS rows, a tile after the other, times some tokens. */
INLINE void block(const struct plan *p, const struct operands *o, long row, long rows, long token,
                  long tokens, const int nibbles, const int halves) {
  long tiles = tiles_of(p->m->columns), whole = p->m->columns / TILE;
  const struct activations *x = (const struct activations *)o->x + token * tiles;
  struct place lines[ROWS];
  __m512 sums[ROWS * TOKENS];
  for (long r = 0; r < rows + rows % PAIR; r++) { /* an odd row is its own neighbour */
    lines[r] = place_of(p->m, row + (r < rows ? r : rows - 1));
    for (long t = 0; t < tokens; t++) sums[r * TOKENS + t] = all(0);
  }
  for (long tile = 0; tile < whole; tile++)
    for (long r = 0; r < rows; r += PAIR)
      pair(p, lines + r, x, tile, tokens, sums + r * TOKENS, 1, nibbles, halves);
  if (whole < tiles)
    for (long r = 0; r < rows; r += PAIR)
      pair(p, lines + r, x, whole, tokens, sums + r * TOKENS, 0, nibbles, halves);
  for (long r = 0; r < rows; r += OUTPUTS)
    put(o, row + r, rows - r, token, tokens, sums + r * TOKENS);
}

INLINE void slice(const struct plan *p, const struct operands *o, long first_row, long end_row,
                  long tokens, const int nibbles, const int halves) {
  long rows = tokens <= FEW ? PAIR : ROWS;
  for (long token = 0; token < tokens; token += TOKENS)
    for (long row = first_row; row < end_row; row += rows)
      block(p, o, row, end_row - row < rows ? end_row - row : rows, token,
            tokens - token < TOKENS ? tokens - token : TOKENS, nibbles, halves);
}

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `x` holds what quantise_rows() gave;
 * `out` and `bias` point to the matrix's own first output. For INT8 and INT4 only.
 */
void KERNEL(integer_product)(const struct matrix *m, const struct activations *x, float *out,
                             long out_stride, const float *bias, long first_row, long end_row,
                             long tokens) {
  struct operands o = {x, 0, out, out_stride, bias};
  struct plan p = plan_of(m);
  int halves = m->group_columns == 16;
  if (p.nibbles && halves) slice(&p, &o, first_row, end_row, tokens, 1, 1);
  else if (p.nibbles) slice(&p, &o, first_row, end_row, tokens, 1, 0);
  else if (halves) slice(&p, &o, first_row, end_row, tokens, 0, 1);
  else slice(&p, &o, first_row, end_row, tokens, 0, 0);
}
