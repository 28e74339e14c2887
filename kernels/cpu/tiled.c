/*
 * y = x W^T + b as in bfloat.c, by AMX: 32 rows of W times 32 tokens at a time, in tiles of 16 by 16
 * sums. W is the left operand, because its rows can be read so where they lie; x is the right one,
 * for which round_rows() puts it into tiles.
 *
 * An output is one chain over runs of 32 columns, each run the sum of its even and its odd columns,
 * for any number of tokens: so its bits depend on its own row of x and of W alone.
 */
#include "tile_panels.h"
#include "tiles.h"
#include "transposed.h"

/* Tokens of a block: four tiles of sums, two of W and two of x are in registers. */
#define TOKENS 32

/* Bytes from a run of a block of packed rows to the next. */
#define PACKED_RUN (2 * TILE_BYTES)

/* From so many tokens on, rows of BF16 are packed: a tile is then read from 16 lines, not pages. */
#define PACKED_TOKENS 96

/* How many runs ahead rows of W are fetched that lie where they were mapped. */
#define AHEAD 16

/* 16 rows of x in tiles: of each run, pairs of columns one below the other, one token beside the other. */
INLINE void put_in_tiles(const uint16_t rows[TILE_ROWS][BLOCK], uint16_t *out) {
  for (long run = 0; run < BLOCK / RUN; run++) {
    __m512i pairs[TILE_ROWS];
    for (int r = 0; r < TILE_ROWS; r++) pairs[r] = _mm512_loadu_si512(rows[r] + run * RUN);
    transpose(pairs);
    for (int r = 0; r < TILE_ROWS; r++) _mm512_storeu_si512(out + run * TILE + r * RUN, pairs[r]);
  }
}

/*
 * Rows first to end - 1 of x, rounded; `first` is a multiple of 16. Each 16 rows have the room of 16
 * rows of padded(columns) numbers: a tile a run, with zeros behind the last column up to a whole
 * block and where there are fewer rows. Columns come in the order that bfloat.c says.
 */
void KERNEL(round_rows)(const float *x, long x_stride, uint16_t *out, long columns, long nibbles,
                        long first, long end) {
  uint16_t rows[TILE_ROWS][BLOCK] = {0};
  for (long row = first; row < end; row += TILE_ROWS) {
    long here = end - row < TILE_ROWS ? end - row : TILE_ROWS;
    if (here < TILE_ROWS) __builtin_memset(rows, 0, sizeof rows);
    for (long k = 0; k < columns; k += BLOCK) {
      for (long r = 0; r < here; r++)
        round_block(x + (row + r) * x_stride + k, columns - k, nibbles, rows[r]);
      put_in_tiles(rows, out + row * padded(columns) + k * TILE_ROWS);
    }
  }
}

/* 32 rows of W as tiles are loaded from them. */
struct lines {
  const char *numbers;
  long row_bytes;
  long run_bytes;
  long lower_half; /* bytes from row 0 to row 16 */
  long ahead;      /* bytes to what is fetched meanwhile; 0: nothing is */
};

INLINE struct lines packed_lines(const uint16_t *packed) {
  return (struct lines){(const char *)packed, 64, PACKED_RUN, TILE_BYTES, 0};
}

/* Two tiles of W times one or two of x, for every run. */
INLINE void multiply_runs(const struct lines *w, const uint16_t *x, long x_block, long runs,
                          const int blocks) {
  const char *upper = w->numbers, *lower = w->numbers + w->lower_half;
  for (long run = 0; run < runs; run++, upper += w->run_bytes, lower += w->run_bytes, x += TILE) {
    tile_load(4, upper, w->row_bytes);
    tile_load(5, lower, w->row_bytes);
    tile_load(6, x, 64);
    tile_multiply(0, 4, 6);
    tile_multiply(1, 5, 6);
    if (blocks == 2) {
      tile_load(7, x + x_block, 64);
      tile_multiply(2, 4, 7);
      tile_multiply(3, 5, 7);
    }
    if (w->ahead) {
#pragma GCC unroll 16
      for (int r = 0; r < TILE_ROWS; r++) {
        _mm_prefetch(upper + r * w->row_bytes + w->ahead, _MM_HINT_T0);
        _mm_prefetch(lower + r * w->row_bytes + w->ahead, _MM_HINT_T0);
      }
    }
  }
}

/* Rows of a matrix and where their outputs go. */
struct slice {
  const struct matrix *m;
  const struct operands *o;
  const struct matrix *scales; /* that a sum takes its scale from, or none */
  long runs;
  long tokens;
};

/* Puts 16 rows' sums for up to 16 tokens. */
INLINE void put(const struct slice *s, __m512i *sums, long row, long rows, long token) {
  if (rows <= 0 || token >= s->tokens) return;
  __mmask16 mask = rows < TILE_ROWS ? first(rows) : (__mmask16)~0;
  float scales[TILE_ROWS];
  for (long r = 0; r < TILE_ROWS; r++)
    scales[r] = s->scales && r < rows ? number_of(s->scales, s->scales->scales, row + r, 0) : 1;
  lanes by = load(scales);
  lanes bias = s->o->bias ? _mm512_maskz_loadu_ps(mask, s->o->bias + row) : all(0);
  transpose(sums);
  long here = s->tokens - token < TILE_ROWS ? s->tokens - token : TILE_ROWS;
  for (long t = 0; t < here; t++) {
    lanes y = add(mul(as_float(sums[t]), by), bias);
    _mm512_mask_storeu_ps(s->o->out + (token + t) * s->o->out_stride + row, mask, y);
  }
}

INLINE void clear_sums(void) {
  tile_clear(0);
  tile_clear(1);
  tile_clear(2);
  tile_clear(3);
}

/* Puts the sums of 32 rows, or of the `rows` that are left, for up to 32 tokens. */
INLINE void put_sums(const struct slice *s, long row, long rows, long token, const int blocks) {
  __m512i sums[4][TILE_ROWS];
  tile_store(0, sums[0], 64);
  tile_store(1, sums[1], 64);
  put(s, sums[0], row, rows, token);
  put(s, sums[1], row + TILE_ROWS, rows - TILE_ROWS, token);
  if (blocks == 2) {
    tile_store(2, sums[2], 64);
    tile_store(3, sums[3], 64);
    put(s, sums[2], row, rows, token + TILE_ROWS);
    put(s, sums[3], row + TILE_ROWS, rows - TILE_ROWS, token + TILE_ROWS);
  }
}

/* 32 rows, or the `rows` that are left, times up to 32 tokens. `last`: the run that is cut short. */
INLINE void block(const struct slice *s, const struct lines *w, const struct lines *last, long row,
                  long rows, long token, const int blocks) {
  const uint16_t *x = (const uint16_t *)s->o->x + token * s->o->x_stride;
  long x_block = TILE_ROWS * s->o->x_stride;
  clear_sums();
  multiply_runs(w, x, x_block, s->runs, blocks);
  if (last) multiply_runs(last, x + s->runs * TILE, x_block, 1, blocks);
  put_sums(s, row, rows, token, blocks);
}

INLINE void block_of(const struct slice *s, const struct lines *w, const struct lines *last,
                     long row, long rows, long token) {
  if (s->tokens - token > TILE_ROWS) block(s, w, last, row, rows, token, 2);
  else block(s, w, last, row, rows, token, 1);
}

/* A run of BF16 weights, with zeros behind the last column. */
INLINE void copy_run(const struct matrix *m, long row, long column, uint16_t *to) {
  const char *p = m->numbers + row * m->row_bytes + 2 * column;
  _mm512_storeu_si512(to, _mm512_maskz_loadu_epi16(left(m->columns - column), p));
}

/* Where row r has its run of a step's first column among packed rows. */
INLINE uint16_t *place(const struct matrix *m, uint16_t *packed, long r, long column) {
  return packed + r / ROWS * ROWS * padded(m->columns) + column / RUN * 2 * TILE + r % ROWS * RUN;
}

/* All tokens, a few at a time, times packed rows. */
static void packed_rows(const struct slice *s, const uint16_t *packed, long first_row,
                        long end_row) {
  long block_numbers = ROWS * padded(s->m->columns);
  for (long token = 0; token < s->tokens; token += TOKENS) {
    for (long row = first_row; row < end_row; row += ROWS) {
      struct lines w = packed_lines(packed + (row - first_row) / ROWS * block_numbers);
      block_of(s, &w, 0, row, end_row - row, token);
    }
  }
}

/* BF16 where it lies, 32 rows at a time; a last run that is cut short is copied. */
static void mapped_rows(const struct slice *s, long first_row, long end_row, uint16_t *packed) {
  const struct matrix *m = s->m;
  long whole = m->columns / RUN * RUN;
  struct slice cut = *s;
  cut.runs = whole / RUN;
  for (long row = first_row; row < end_row; row += ROWS) {
    struct lines w = {m->numbers + row * m->row_bytes, m->row_bytes, 64, TILE_ROWS * m->row_bytes,
                      64 * AHEAD};
    struct lines last = packed_lines(packed);
    if (whole < m->columns)
      for (long r = 0; r < ROWS; r++) copy_run(m, row + r, whole, packed + r * RUN);
    for (long token = 0; token < s->tokens; token += TOKENS) {
      block_of(&cut, &w, whole < m->columns ? &last : 0, row, ROWS, token);
      w.ahead = 0; /* they are in the cache now */
    }
  }
}

static void bf16(const struct slice *s, long first_row, long end_row, uint16_t *packed) {
  long whole = first_row;
  if (s->tokens < PACKED_TOKENS) {
    whole = first_row + (end_row - first_row) / ROWS * ROWS;
    mapped_rows(s, first_row, whole, packed);
  }
  for (long row = whole; row < end_row; row++)
    for (long k = 0; k < s->m->columns; k += RUN)
      copy_run(s->m, row, k, place(s->m, packed, row - whole, k));
  packed_rows(s, packed, whole, end_row);
}

/*
 * Rows of codes times up to 32 tokens: the L1 cache holds what is decoded, which is multiplied while
 * the next block of columns is.
 */
INLINE void few_tokens(const struct slice *s, long first_row, long end_row, const int blocks) {
  const struct matrix *m = s->m;
  const uint16_t *x = (const uint16_t *)s->o->x;
  long x_block = TILE_ROWS * s->o->x_stride;
  uint16_t panels[2][PANEL] __attribute__((aligned(64))) = {{0}};
  struct codes codes;
  for (long row = first_row; row < end_row; row += ROWS) {
    long rows = end_row - row < ROWS ? end_row - row : ROWS;
    begin_rows(m, &codes, row);
    clear_sums();
    for (long k = 0, n = 0; k < m->columns + BLOCK; k += BLOCK, n++) {
      if (k < m->columns) decode_panel(m, &codes, rows, k, panels[n % 2]);
      struct lines w = packed_lines(panels[(n + 1) % 2]);
      if (k) multiply_runs(&w, x + (n - 1) * VECTORS * TILE, x_block, VECTORS, blocks);
    }
    put_sums(s, row, rows, 0, blocks);
  }
}

/* Rows of codes times any number of tokens. */
static void decoded(struct slice *s, long first_row, long end_row, uint16_t *packed) {
  const struct matrix *m = s->m;
  s->scales = scaled_late(m, (enum format)m->format) ? m : 0;
  s->runs = (m->columns + BLOCK - 1) / BLOCK * VECTORS;
  if (s->tokens <= TILE_ROWS) {
    few_tokens(s, first_row, end_row, 1);
    return;
  }
  if (s->tokens <= TOKENS) {
    few_tokens(s, first_row, end_row, 2);
    return;
  }
  struct codes codes;
  for (long row = first_row; row < end_row; row += ROWS) {
    long rows = end_row - row < ROWS ? end_row - row : ROWS;
    begin_rows(m, &codes, row);
    for (long k = 0; k < m->columns; k += BLOCK)
      decode_panel(m, &codes, rows, k, place(m, packed, row - first_row, k));
  }
  packed_rows(s, packed, first_row, end_row);
}

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `x` holds what round_rows() made;
 * `scratch` room for rows of padded(columns) numbers, as many as there are, and up to a multiple of
 * 32; with one token or two for 32 rows; `out` and `bias` point to the matrix's own first output.
 * Matrices in F32 and F16 have no such product.
 */
void KERNEL(rounded_product)(const struct matrix *m, const uint16_t *x, float *out, long out_stride,
                             const float *bias, long first_row, long end_row, long tokens,
                             uint16_t *scratch) {
  struct operands o = {x, padded(m->columns), out, out_stride, bias};
  struct slice s = {m, &o, 0, (m->columns + RUN - 1) / RUN, tokens};
  begin_tiles();
  if (m->format == BF16) bf16(&s, first_row, end_row, scratch);
  else decoded(&s, first_row, end_row, scratch);
  end_tiles();
}

