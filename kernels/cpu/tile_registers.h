/* What a process and its threads do before they use AMX's tile registers. */
#ifndef MILLRACE_TILE_REGISTERS_H
#define MILLRACE_TILE_REGISTERS_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux wants a process to ask for them, because they make signal frames larger. */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

static inline int tiles_given(void) {
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

/* Palette 1: eight tiles of 16 rows of 64 bytes, as ldtilecfg reads it. */
static const struct {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} all_tiles = {.palette = 1,
               .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
               .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

#endif
