/* Codes on their way into tiles: a block of columns of 32 rows, as BF16, two tiles a run. */
#ifndef MILLRACE_TILE_PANELS_H
#define MILLRACE_TILE_PANELS_H

#include "decoded.h"

/* Rows of a block: two tiles of W, one below the other. */
#define ROWS 32

/* Numbers of a tile. */
#define TILE 512

/* Numbers of a block of columns of 32 rows. */
#define PANEL (ROWS * BLOCK)

/* Some rows of codes on their way from column to column. */
struct codes {
  long row; /* the first of them */
  struct line lines[ROWS];
  struct widened scales[ROWS], zeros[ROWS];
  const char *next; /* what is fetched with the next block: the weights of the rows that follow */
};

/* Begins with some rows: those behind them are fetched meanwhile. */
INLINE void begin_rows(const struct matrix *m, struct codes *codes, long row) {
  codes->row = row;
  codes->next = m->numbers + (row + ROWS) * m->row_bytes;
}

/* As decode_panel(), of one format with groups of one size. */
INLINE void decode_kind(const struct matrix *m, enum format format, const int groups,
                        struct codes *codes, long rows, long column, uint16_t *to) {
  if (column % span_of(m) == 0)
    for (long r = 0; r < rows; r++)
      codes->lines[r] =
          line_of(m, format, codes->row + r, column, codes->scales + r, codes->zeros + r);
  struct byte_table table = unscaled_table(format, groups);
  long bytes = bytes_of_columns(format, BLOCK);
  for (long r = 0; r < rows; r++, codes->next += bytes) {
    __m512bh w[VECTORS];
    fetch_later(codes->next, bytes);
    block_at(m, format, codes->lines + r, &table, column, groups, w);
#pragma GCC unroll 4
    for (long v = 0; v < VECTORS; v++)
      _mm512_storeu_si512(to + v * 2 * TILE + r * RUN, (__m512i)w[v]);
  }
}

#define DECODE_IN(format)                                                                          \
  APART void decode_in_##format(const struct matrix *m, struct codes *codes, long rows,            \
                                long column, uint16_t *to) {                                       \
    switch (groups_of(m)) {                                                                        \
      case 8: decode_kind(m, format, 8, codes, rows, column, to); break;                           \
      case 4: decode_kind(m, format, 4, codes, rows, column, to); break;                           \
      case 2: decode_kind(m, format, 2, codes, rows, column, to); break;                           \
      case 1: decode_kind(m, format, 1, codes, rows, column, to); break;                           \
      default: decode_kind(m, format, 0, codes, rows, column, to); break;                          \
    }                                                                                              \
  }

DECODE_IN(INT8)
DECODE_IN(INT8_ZEROS)
DECODE_IN(INT4)
DECODE_IN(INT4_ZEROS)
DECODE_IN(CODE4)

/* FP8, which has no groups of two or four a block. */
APART void decode_in_FP8(const struct matrix *m, struct codes *codes, long rows, long column,
                         uint16_t *to) {
  switch (groups_of(m)) {
    case GROUPS: decode_kind(m, FP8, GROUPS, codes, rows, column, to); break;
    case 1: decode_kind(m, FP8, 1, codes, rows, column, to); break;
    default: decode_kind(m, FP8, 0, codes, rows, column, to); break;
  }
}

/* Decodes a block of columns of up to 32 rows, into tiles. */
static void decode_panel(const struct matrix *m, struct codes *codes, long rows, long column,
                         uint16_t *to) {
  switch ((enum format)m->format) {
    case INT8: decode_in_INT8(m, codes, rows, column, to); break;
    case INT8_ZEROS: decode_in_INT8_ZEROS(m, codes, rows, column, to); break;
    case FP8: decode_in_FP8(m, codes, rows, column, to); break;
    case INT4: decode_in_INT4(m, codes, rows, column, to); break;
    case INT4_ZEROS: decode_in_INT4_ZEROS(m, codes, rows, column, to); break;
    case CODE4: decode_in_CODE4(m, codes, rows, column, to); break;
    case BF16:
    case F16:
    case F32: break;
  }
}

#endif
