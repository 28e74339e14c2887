package dev.millrace.engine.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FreshPagesTest {
  private static final int ALIGNMENT = 64;

  @Test
  void piecesAreZeroAlignedAndApart() {
    try (var arena = Arena.ofShared()) {
      var pages = new FreshPages(arena);
      List<MemorySegment> pieces = new ArrayList<>();
      for (long bytes : new long[] {1, 63, 64, 65, 4096, 1 << 20, (2 << 20) + 1, 5 << 20, 7, 1}) {
        var piece = pages.allocate(bytes, ALIGNMENT);
        assertEquals(bytes, piece.byteSize());
        assertEquals(0, piece.address() % ALIGNMENT);
        assertEquals(-1, piece.mismatch(Arena.ofAuto().allocate(bytes)), bytes + " bytes");
        piece.fill((byte) (pieces.size() + 1));
        pieces.add(piece);
      }
      for (int i = 0; i < pieces.size(); i++) { // nobody has written into another's
        var piece = pieces.get(i);
        assertEquals(i + 1, piece.get(ValueLayout.JAVA_BYTE, 0));
        assertEquals(i + 1, piece.get(ValueLayout.JAVA_BYTE, piece.byteSize() - 1));
      }
    }
  }

  @Test
  void theyLiveAsLongAsTheArena() {
    MemorySegment piece;
    try (var arena = Arena.ofShared()) {
      piece = new FreshPages(arena).allocate(1 << 20, ALIGNMENT);
      assertTrue(piece.scope().isAlive());
    }
    assertFalse(piece.scope().isAlive());
    assertThrows(IllegalStateException.class, () -> piece.get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void moreThanThereIsFails() {
    try (var arena = Arena.ofShared()) {
      var pages = new FreshPages(arena);
      for (long bytes : new long[] {1L << 52, Long.MAX_VALUE - 1}) {
        assertThrows(OutOfMemoryError.class, () -> pages.allocate(bytes, ALIGNMENT));
      }
      assertEquals(8, pages.allocate(8, ALIGNMENT).byteSize());
    }
  }
}
