/* Puts rows of a matrix into bands (bands.h) and back, where they lie. */
#define EXPORTED __attribute__((visibility("default")))

/* A band. */
struct band {
  char *rows;  /* one after the other */
  char *woven; /* first elements of all rows, then second ones */
  long count;  /* of rows */
  long bytes;  /* of a row */
};

/* Elements of some width that begin `before` bytes from a row's start: into bands, or back. */
static inline __attribute__((always_inline)) void weave(const struct band *b, long before,
                                                        const long width, long elements,
                                                        int back) {
  char *woven = b->woven + b->count * before;
  for (long e = 0; e < elements; e++)
    for (long r = 0; r < b->count; r++, woven += width) {
      char *element = b->rows + r * b->bytes + before + e * width;
      if (back) __builtin_memcpy(element, woven, width);
      else __builtin_memcpy(woven, element, width);
    }
}

static void weave_all(const struct band *b, long before, long width, long elements, int back) {
  switch (width) {
    case 4: weave(b, before, 4, elements, back); break;
    case 2: weave(b, before, 2, elements, back); break;
    default: weave(b, before, 1, elements, back); break;
  }
}

/*
 * Rearranges `rows` rows from the first of a band on: each has `factors` numbers of two bytes, then
 * `elements` of `width` bytes, 1, 2 or 4. `scratch` is as long as a band.
 */
void EXPORTED arrange_bands(char *lines, long rows, long factors, long width, long elements,
                            long back, char *scratch) {
  const long bytes = 2 * factors + width * elements;
  for (long first = 0; first < rows; first += 16) {
    struct band b = {lines + first * bytes, scratch, rows - first < 16 ? rows - first : 16, bytes};
    if (back) __builtin_memcpy(scratch, b.rows, b.count * bytes);
    weave_all(&b, 0, 2, factors, (int)back);
    weave_all(&b, 2 * factors, width, elements, (int)back);
    if (!back) __builtin_memcpy(b.rows, scratch, b.count * bytes);
  }
}
