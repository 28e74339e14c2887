package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IncompleteFileTest {
  private static final int PIECE = 10;
  private static final int SIZE = 95;

  @TempDir Path dir;

  private IncompleteFile open() throws IOException {
    return IncompleteFile.open(dir.resolve("x"), SIZE, PIECE);
  }

  private static void write(IncompleteFile file, long start, long end) throws IOException {
    file.write(ByteBuffer.wrap(Models.noise(SIZE, 3), (int) start, (int) (end - start)), start);
    file.note(new Span(start, end), start);
  }

  @Test
  void missingPartsAreWholePiecesOfALength() throws IOException {
    try (var file = open()) {
      assertEquals(List.of(new Span(0, 95)), file.missing(1000));
      assertEquals(List.of(new Span(0, 40), new Span(40, 80), new Span(80, 95)), file.missing(49));
      assertEquals(10, file.missing(1).size());
    }
  }

  @Test
  void piecesThatAreWrittenAreRememberedAndHalvesAreNot() throws IOException {
    try (var file = open()) {
      write(file, 20, 45);
      write(file, 90, 95);
    }
    try (var file = open()) {
      assertEquals(List.of(new Span(0, 20), new Span(40, 90)), file.missing(1000));
      assertEquals(25, file.present());
    }
    assertEquals(25, IncompleteFile.present(dir.resolve("x"), SIZE, PIECE));
  }

  @Test
  void pieceMayBeWrittenInSteps() throws IOException {
    try (var file = open()) {
      for (int i = 0; i < 95; i += 7) {
        int end = Math.min(95, i + 7);
        file.write(ByteBuffer.wrap(Models.noise(SIZE, 3), i, end - i), i);
        file.note(new Span(0, end), i);
        assertEquals(end == 95 ? 95 : end / 10 * 10, file.present());
      }
      file.moveTo(dir.resolve("y"));
    }
    assertArrayEquals(Models.noise(SIZE, 3), Files.readAllBytes(dir.resolve("y")));
    assertFalse(Files.exists(dir.resolve("x")));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 50, 95, 104, 106})
  void fileOfAnotherLengthIsBegunAnew(int length) throws IOException {
    var ones = new byte[length];
    Arrays.fill(ones, (byte) 1);
    Files.write(dir.resolve("x"), ones);
    assertEquals(0, IncompleteFile.present(dir.resolve("x"), SIZE, PIECE));
    assertEquals(length, Files.size(dir.resolve("x"))); // only looked at
    try (var file = open()) {
      assertEquals(0, file.present());
    }
  }

  @Test
  void emptyFileIsWholeAtOnce() throws IOException {
    try (var file = IncompleteFile.open(dir.resolve("x"), 0, PIECE)) {
      assertEquals(List.of(), file.missing(1));
      file.moveTo(dir.resolve("y"));
    }
    assertEquals(0, Files.size(dir.resolve("y")));
  }
}
