/*
 * y = x W^T + b with activations rounded to BF16 (to nearest even) and products summed in F32, two
 * at a time, by vdpbf16ps, which takes subnormal numbers for zero. Weights in BF16 are multiplied
 * where they lie; in INT8 and FP8 with one scale in a row as numbers that are scaled in the end; all
 * others as what their format stands for, rounded to BF16.
 *
 * An output is one chain per lane over K, in the order in which its format's weights are decoded,
 * then the sum of the lanes, whatever block it is computed in: so its bits depend on its own row of x
 * and of W alone.
 */
#include "decoded.h"

/* Weight rows and tokens of a block: all sums, one run of weights and one of x in registers. */
#define ROWS 4
#define TOKENS 6

/*
 * Columns of a panel, at most: those of a block's tokens and of its rows stay in the L1 cache; and
 * rows that pass a panel before the next.
 */
#define PANEL 2048
#define PANEL_ROWS 64

/*
 * From so many tokens on, as many rows as are at most CACHED_BYTES long pass before the next, and stay
 * in the L1 cache; where these are too few, rows are packed: of ROWS rows, the runs lie beside each
 * other, so that the processor fetches one stream from the L2 cache, not ROWS.
 */
#define MANY_TOKENS 96
#define CACHED_BYTES (20 << 10)

/* So few tokens are multiplied with weights as they are decoded; for more, a slice is decoded first. */
#define DIRECT_TOKENS 2

/* How far ahead weights are fetched, in bytes: whole blocks of rows. */
#define AHEAD 8192

/*
 * Rows first to end - 1 of x, rounded; rows of `out` are padded(columns) numbers long, with zeros
 * behind the last column up to a whole block. In the order of columns, or, where `nibbles`, in that
 * of nibbles_of().
 */
void KERNEL(round_rows)(const float *x, long x_stride, uint16_t *out, long columns, long nibbles,
                        long first, long end) {
  for (long row = first; row < end; row++) {
    const float *from = x + row * x_stride;
    uint16_t *to = out + row * padded(columns);
    for (long k = 0; k < columns; k += BLOCK) round_block(from + k, columns - k, nibbles, to + k);
  }
}

/* Rows of a matrix and where their outputs go. */
struct slice {
  const struct matrix *m;
  const struct operands *o;
  const struct matrix *scales; /* that a sum takes its scale from, or none */
  long row;                    /* of the matrix */
  long output;
  long rows;
  const char *next; /* weights that are fetched with the next block, for the slice that follows */
  long part;        /* bytes of them a block; 0: none */
};

/* Row `r` of a block; the slice's last one again where there are fewer. */
INLINE long row_of(const struct slice *s, long done, long r) {
  return s->row + (done + r < s->rows ? done + r : s->rows - 1);
}

/* Where a row's runs begin, and how many bytes a column further the next ones lie. */
INLINE const char *runs_of(const struct slice *s, long done, long r, const int packed) {
  const struct matrix *m = s->m;
  return packed ? m->numbers + done * m->row_bytes + r * 2 * RUN
                : m->numbers + row_of(s, done, r) * m->row_bytes;
}

/* Puts the sums of a block's rows for one token. */
INLINE void put(const struct slice *s, long done, long token, __m128 y) {
  long output = s->output + done, rows = s->rows - done < ROWS ? s->rows - done : ROWS;
  __mmask8 mask = (__mmask8)((1 << rows) - 1);
  if (s->scales) {
    float scales[ROWS] = {1, 1, 1, 1};
    for (long r = 0; r < rows; r++)
      scales[r] = number_of(s->scales, s->scales->scales, output + r, 0);
    y = _mm_mul_ps(y, _mm_loadu_ps(scales));
  }
  if (s->o->bias) y = _mm_add_ps(y, _mm_maskz_loadu_ps(mask, s->o->bias + output));
  _mm_mask_storeu_ps(s->o->out + token * s->o->out_stride + output, mask, y);
}

/* Rows from some to those that they fetch, one after the other: so memory gives most. */
INLINE long rows_ahead(const struct matrix *m) {
  long bytes = ROWS * m->row_bytes;
  return (AHEAD + bytes - 1) / bytes * ROWS;
}

INLINE lanes pairs_of(lanes a, lanes b) {
  return add(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}

/* As sums_of(), of tokens t and t + 1: in the lowest four lanes, and in four from lane 8 on. */
INLINE lanes two_sums_of(lanes sums[ROWS][TOKENS], const int t) {
  lanes halves[ROWS];
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; r++) {
    lanes a = sums[r][t], b = sums[r][t + 1];
    halves[r] = add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  }
  lanes fours = pairs_of(pairs_of(halves[0], halves[1]), pairs_of(halves[2], halves[3]));
  return add(fours, _mm512_shuffle_f32x4(fours, fours, 0xb1));
}

/* Sums of up to ROWS rows, from one panel to the next. */
struct kept {
  lanes sums[ROWS][TOKENS];
};

/*
 * Columns of up to ROWS rows of BF16 times `tokens`, which is a constant where this is inlined, as
 * `packed` is: from `from`, a whole number of runs, to `end`, which is another or the last column.
 * Fetches rows that lie `ahead` further; 0: none.
 */
INLINE void block(const struct slice *s, long done, long token, const int tokens, long ahead,
                  const int packed, long from, long end, struct kept *kept) {
  const struct matrix *m = s->m;
  lanes sums[ROWS][TOKENS];
  const char *p[ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    p[r] = runs_of(s, done, r, packed);
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) sums[r][t] = from ? kept->sums[r][t] : all(0);
  }
  long stride = s->o->x_stride, k = from, whole = end / RUN * RUN, width = packed ? 2 * ROWS : 2;
  const uint16_t *x = (const uint16_t *)s->o->x + token * stride;
  const char *next = m->numbers + (s->row + done + ahead) * m->row_bytes;
#pragma GCC unroll 2
  for (; k < whole; k += RUN) {
    __m512bh w[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      if (ahead) _mm_prefetch(next + 2 * (ROWS * k + r * RUN), _MM_HINT_T0);
      w[r] = (__m512bh)_mm512_loadu_si512(p[r] + width * k);
    }
#pragma GCC unroll 8
    for (int t = 0; t < tokens; t++) {
      __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * stride + k);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++) sums[r][t] = _mm512_dpbf16_ps(sums[r][t], w[r], column);
    }
  }
  if (end < m->columns) {
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++) kept->sums[r][t] = sums[r][t];
    return;
  }
  if (k < end) {
    __mmask32 mask = left(end - k);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      __m512bh w = (__m512bh)_mm512_maskz_loadu_epi16(mask, p[r] + width * k);
#pragma GCC unroll 8
      for (int t = 0; t < tokens; t++) {
        __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * stride + k);
        sums[r][t] = _mm512_dpbf16_ps(sums[r][t], w, column);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t + 1 < tokens; t += 2) {
    lanes both = two_sums_of(sums, t);
    put(s, done, token + t, _mm512_castps512_ps128(both));
    put(s, done, token + t + 1, _mm512_extractf32x4_ps(both, 2));
  }
  if (tokens % 2) {
    const int t = tokens - 1;
    put(s, done, token + t, sums_of(sums[0][t], sums[1][t], sums[2][t], sums[3][t]));
  }
}

/* Fetches a part of what the slice that follows decodes. */
INLINE void fetch_next(struct slice *s) {
  for (long i = 0; i < s->part; i += 64) _mm_prefetch(s->next + i, _MM_HINT_T1);
  s->next += s->part;
}

/* Some rows, a panel of columns after the other. */
INLINE void in_panels(struct slice *s, long token, const int tokens, long ahead,
                      const int packed, long panel) {
  struct kept kept[PANEL_ROWS / ROWS];
  for (long first = 0; first < s->rows; first += PANEL_ROWS) {
    long rows = s->rows - first < PANEL_ROWS ? s->rows - first : PANEL_ROWS;
    for (long from = 0; from < s->m->columns; from += panel) {
      long end = from + panel < s->m->columns ? from + panel : s->m->columns;
      for (long r = 0; r < rows; r += ROWS) {
        if (!from) fetch_next(s);
        block(s, first + r, token, tokens, ahead, packed, from, end, kept + r / ROWS);
      }
    }
  }
}

INLINE void some_tokens(struct slice *s, long token, const int tokens, long ahead,
                        const int packed, long panel) {
  if (panel < s->m->columns) {
    in_panels(s, token, tokens, ahead, packed, panel);
    return;
  }
  for (long done = 0; done < s->rows; done += ROWS) {
    fetch_next(s);
    block(s, done, token, tokens, ahead, packed, 0, s->m->columns, 0);
  }
}

INLINE long blocks_of(long tokens) { return (tokens + TOKENS - 1) / TOKENS; }

/* The columns of a panel, whole runs; all of them where memory is what a product waits for. */
INLINE long panel_of(long columns, long blocks) {
  if (blocks == 1) return columns;
  long panels = (columns + PANEL - 1) / PANEL;
  return ((columns + panels - 1) / panels + RUN - 1) / RUN * RUN;
}

/* How many rows stay in the L1 cache while many tokens pass; 0: all in the L2 cache. */
INLINE long cached_rows(long columns, long tokens) {
  long rows = CACHED_BYTES / (2 * columns) / ROWS * ROWS;
  return tokens < MANY_TOKENS || rows < 2 * ROWS ? 0 : rows;
}

INLINE int are_packed(long columns, long tokens) {
  return tokens >= MANY_TOKENS && !cached_rows(columns, tokens);
}

/*
 * Rows stay in a cache while tokens pass in blocks of about the same size. With one token the
 * processor's own prefetching keeps up with memory; instructions for it cost a third.
 */
static void in_blocks(struct slice *s, long tokens, int fetching) {
  long blocks = blocks_of(tokens), panel = panel_of(s->m->columns, blocks);
  long token = 0;
  for (long b = 0; b < blocks; b++) {
    long ahead = fetching && b == 0 ? rows_ahead(s->m) : 0;
    long size = (tokens - token + blocks - b - 1) / (blocks - b);
    switch (size) {
      case 1: some_tokens(s, token, 1, 0, 0, panel); break;
      case 2: some_tokens(s, token, 2, ahead, 0, panel); break;
      case 3: some_tokens(s, token, 3, ahead, 0, panel); break;
      case 4: some_tokens(s, token, 4, ahead, 0, panel); break;
      case 5: some_tokens(s, token, 5, ahead, 0, panel); break;
      default: some_tokens(s, token, 6, ahead, 0, panel); break;
    }
    token += size;
  }
}

static void all_tokens(const struct slice *s, long tokens, int fetching) {
  long rows = cached_rows(s->m->columns, tokens);
  struct slice part = *s;
  if (!rows) rows = s->rows;
  for (long first = 0; first < s->rows; first += rows) {
    part.row = s->row + first;
    part.output = s->output + first;
    part.rows = s->rows - first < rows ? s->rows - first : rows;
    in_blocks(&part, tokens, fetching);
  }
}

/* As in_blocks(), with at least MANY_TOKENS tokens and packed rows. */
static void packed_rows(struct slice *s, long tokens) {
  long blocks = blocks_of(tokens), panel = panel_of(s->m->columns, blocks);
  long token = 0;
  for (long b = 0; b < blocks; b++) {
    long size = (tokens - token + blocks - b - 1) / (blocks - b);
    if (size == TOKENS) some_tokens(s, token, TOKENS, 0, 1, panel);
    else some_tokens(s, token, TOKENS - 1, 0, 1, panel);
    token += size;
  }
}

/* Where the first run of row r is packed. */
INLINE uint16_t *place(const struct matrix *m, uint16_t *packed, long r) {
  return packed + r / ROWS * ROWS * padded(m->columns) + r % ROWS * RUN;
}

/* A matrix of rows as they are decoded or packed. */
INLINE struct matrix made_of(const struct matrix *m, const uint16_t *rows) {
  return (struct matrix){.columns = (m->columns + BLOCK - 1) / BLOCK * BLOCK,
                         .row_bytes = 2 * padded(m->columns),
                         .numbers = (const char *)rows};
}

/* BF16 times many tokens. */
static void bf16_packed(const struct slice *s, long tokens, uint16_t *packed) {
  const struct matrix *m = s->m;
  for (long r = 0; r < s->rows; r++) {
    const char *p = m->numbers + (s->row + r) * m->row_bytes;
    uint16_t *to = place(m, packed, r);
    long k = 0;
    for (; k < m->columns; k += RUN, to += ROWS * RUN)
      _mm512_storeu_si512(to, _mm512_maskz_loadu_epi16(left(m->columns - k), p + 2 * k));
    for (; k % BLOCK; k += RUN, to += ROWS * RUN) _mm512_storeu_si512(to, _mm512_setzero_si512());
  }
  struct matrix rows = made_of(m, packed);
  struct slice of_packed = *s;
  of_packed.m = &rows;
  packed_rows(&of_packed, tokens);
}

/* What a block of a row adds, times one token or two. */
INLINE void add_block(const __m512bh *w, const uint16_t *x, long x_stride, lanes *sums,
                      const int tokens) {
#pragma GCC unroll 4
  for (int v = 0; v < VECTORS; v++)
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++) {
      __m512bh column = (__m512bh)_mm512_loadu_si512(x + t * x_stride + v * RUN);
      sums[t] = _mm512_dpbf16_ps(sums[t], w[v], column);
    }
}

/*
 * What is fetched next of rows that follow: their weights lie one after the other, and so do their
 * scales. In that order memory gives more than it would column by column.
 */
struct ahead {
  const char *weights;
  const char *scales;
  long share; /* bytes of scales a block; 0 where they are too few to be fetched */
};

/* Some rows of a matrix on their way from column to column. */
struct walk {
  struct line lines[ROWS];
  struct widened widened[ROWS];
  lanes sums[ROWS][DIRECT_TOKENS];
  struct ahead ahead;
};

INLINE long share_of(const struct matrix *m) {
  if (m->groups == 1 || m->group_rows != 1) return 0;
  return ROWS * m->line_bytes / (m->columns / BLOCK + 1) + 1;
}

/* Fetches as much as a block of all rows has. */
INLINE void fetch(const struct matrix *m, enum format format, struct ahead *a) {
  if (a->share) {
    _mm_prefetch(a->scales, _MM_HINT_T0);
    if (has_zeros(format)) _mm_prefetch(a->scales + (m->behind - m->scales), _MM_HINT_T0);
    a->scales += a->share;
  }
#pragma GCC unroll 8
  for (long i = 0; i < ROWS * width_of_block(format); i += 64)
    _mm_prefetch(a->weights + i, _MM_HINT_T0);
  a->weights += ROWS * width_of_block(format);
}

/* The blocks of some rows from column `from` on, as long as their lines are good. */
INLINE void whole_blocks(const struct slice *s, enum format format, const int groups,
                         struct walk *walk, long from, long end, const int tokens) {
  const struct matrix *m = s->m;
  const uint16_t *x = (const uint16_t *)s->o->x + from;
  long width = width_of_block(format), stride = s->o->x_stride;
  const char *p[ROWS];
  const number *by[ROWS], *less[ROWS];
  lanes sums[ROWS][DIRECT_TOKENS];
  struct ahead ahead = walk->ahead;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) {
    const struct line *l = walk->lines + r;
    p[r] = l->numbers + from / BLOCK * width;
    by[r] = l->scales + group_at(m, l, from, groups);
    less[r] = l->zeros + group_at(m, l, from, groups);
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++) sums[r][t] = walk->sums[r][t];
  }
  for (; from + BLOCK <= end; from += BLOCK, x += BLOCK) {
    fetch(m, format, &ahead);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      __m512bh w[VECTORS];
      decoded_block(m, format, walk->lines + r, p[r], by[r], less[r], from, groups, w);
      add_block(w, x, stride, sums[r], tokens);
      p[r] += width;
      by[r] += groups;
      less[r] += groups;
    }
  }
  walk->ahead = ahead;
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++) walk->sums[r][t] = sums[r][t];
}

/* One token or two times rows whose weights are decoded as they are met. */
INLINE void direct(const struct slice *s, enum format format, const int groups, const int tokens) {
  const struct matrix *m = s->m;
  const uint16_t *x = (const uint16_t *)s->o->x;
  long span = span_of(m), whole = m->columns / BLOCK * BLOCK;
  long next = rows_ahead(m), share = share_of(m);
  for (long done = 0; done < s->rows; done += ROWS) {
    struct walk walk;
    long coming = s->row + done + next;
    walk.ahead = (struct ahead){m->numbers + coming * m->row_bytes,
                                line_at(m, m->scales, coming), share};
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
      for (int t = 0; t < tokens; t++) walk.sums[r][t] = all(0);
    for (long from = 0; from < m->columns; from += span) {
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++)
        walk.lines[r] = line_of(m, format, row_of(s, done, r), from, walk.widened + r);
      long end = m->columns - from < span ? m->columns : from + span;
      whole_blocks(s, format, groups, &walk, from, end, tokens);
    }
    if (whole < m->columns)
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; r++) {
        __m512bh w[VECTORS];
        last_block(m, format, walk.lines + r, whole, groups, w);
        add_block(w, x + whole, s->o->x_stride, walk.sums[r], tokens);
      }
#pragma GCC unroll 2
    for (int t = 0; t < tokens; t++)
      put(s, done, t,
          sums_of(walk.sums[0][t], walk.sums[1][t], walk.sums[2][t], walk.sums[3][t]));
  }
}

/* Decodes rows once where they meet more tokens than one block has. */
INLINE void decoded(const struct matrix *m, enum format format, const int groups,
                    const struct operands *o, uint16_t *scratch, long first_row, long end_row,
                    long tokens) {
  long rows = end_row - first_row;
  struct slice s = {m, o, scaled_late(m, format) ? m : 0, first_row, first_row, rows, 0, 0};
  if (tokens <= DIRECT_TOKENS) {
    if (tokens == 1) direct(&s, format, groups, 1);
    else direct(&s, format, groups, DIRECT_TOKENS);
    return;
  }
  int packed = are_packed(m->columns, tokens);
  for (long r = 0; r < rows; r++) {
    uint16_t *to = packed ? place(m, scratch, r) : scratch + r * padded(m->columns);
    decoded_row(m, format, first_row + r, groups, to, packed ? ROWS * RUN : RUN);
  }
  struct matrix result = made_of(m, scratch);
  s.m = &result;
  s.row = 0;
  s.next = m->numbers + end_row * m->row_bytes;
  s.part = rows * m->row_bytes / (blocks_of(tokens) * ((rows + ROWS - 1) / ROWS));
  if (packed) packed_rows(&s, tokens);
  else all_tokens(&s, tokens, 0);
}

/* As decoded(), whatever groups there are. */
INLINE void grouped(const struct matrix *m, enum format format, const struct operands *o,
                    uint16_t *scratch, long first_row, long end_row, long tokens) {
  switch (groups_of(m)) {
    case 8: decoded(m, format, 8, o, scratch, first_row, end_row, tokens); break;
    case 4: decoded(m, format, 4, o, scratch, first_row, end_row, tokens); break;
    case 2: decoded(m, format, 2, o, scratch, first_row, end_row, tokens); break;
    case 1: decoded(m, format, 1, o, scratch, first_row, end_row, tokens); break;
    default: decoded(m, format, 0, o, scratch, first_row, end_row, tokens); break;
  }
}

#define GROUPED_IN(format)                                                                         \
  APART void grouped_in_##format(const struct matrix *m, const struct operands *o,                 \
                                 uint16_t *scratch, long first_row, long end_row, long tokens) {   \
    grouped(m, format, o, scratch, first_row, end_row, tokens);                                    \
  }

GROUPED_IN(INT8)
GROUPED_IN(INT8_ZEROS)
GROUPED_IN(INT4)
GROUPED_IN(INT4_ZEROS)
GROUPED_IN(CODE4)

/*
 * Rows first_row to end_row - 1 of a matrix, times all tokens. `x` holds rounded rows, in the order
 * of nibbles for formats that have them; `scratch` room for (end_row - first_row) rows of weights as
 * long as those, and up to a multiple of 4; `out` and `bias` point to the matrix's own first output.
 * Matrices in F32 and F16 have no such product.
 */
void KERNEL(rounded_product)(const struct matrix *m, const uint16_t *x, float *out, long out_stride,
                             const float *bias, long first_row, long end_row, long tokens,
                             uint16_t *scratch) {
  struct operands o = {x, padded(m->columns), out, out_stride, bias};
  struct slice plain = {m, &o, 0, first_row, first_row, end_row - first_row, 0, 0};
  switch ((enum format)m->format) {
    case BF16:
      if (are_packed(m->columns, tokens)) bf16_packed(&plain, tokens, scratch);
      else all_tokens(&plain, tokens, 1);
      break;
    case INT8: grouped_in_INT8(m, &o, scratch, first_row, end_row, tokens); break;
    case INT8_ZEROS: grouped_in_INT8_ZEROS(m, &o, scratch, first_row, end_row, tokens); break;
    case FP8: decoded(m, FP8, 0, &o, scratch, first_row, end_row, tokens); break;
    case INT4: grouped_in_INT4(m, &o, scratch, first_row, end_row, tokens); break;
    case INT4_ZEROS: grouped_in_INT4_ZEROS(m, &o, scratch, first_row, end_row, tokens); break;
    case CODE4: grouped_in_CODE4(m, &o, scratch, first_row, end_row, tokens); break;
    case F32:
    case F16: break;
  }
}
