package dev.millrace.engine.mapping;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Files that change while they are mapped. */
class MappedFilesTest {
  private static final int PAGES = 64;
  private static final int SIZE = PAGES * 4096;

  @TempDir private Path folder;

  private Path file() throws IOException {
    byte[] bytes = new byte[SIZE];
    Arrays.fill(bytes, (byte) 1);
    return Files.write(folder.resolve("weights"), bytes);
  }

  private static void truncate(Path file, long length) throws IOException {
    try (var opened = new RandomAccessFile(file.toFile(), "rw")) {
      opened.setLength(length);
    }
  }

  @Test
  void releasedBytesAreReadAgain() throws IOException {
    try (var arena = Arena.ofShared();
        var files = new MappedFiles(arena)) {
      var mapping = files.map(file());
      assertEquals(SIZE, bytes(mapping));
      long before = resident();
      files.release(mapping.asSlice(100, SIZE - 200));
      long after = resident();
      // other mappings of the process may grow meanwhile
      assertTrue(after <= before - PAGES * 3, before + " KB became " + after);
      assertEquals(SIZE, bytes(mapping));
    }
  }

  @Test
  void bytesOfNoFileStayAsTheyAre() throws IOException {
    try (var arena = Arena.ofShared();
        var files = new MappedFiles(arena)) {
      var _ = files.map(file());
      var other = arena.allocate(SIZE);
      other.fill((byte) 1);
      files.release(other);
      files.release(MemorySegment.ofArray(new byte[SIZE]));
      assertEquals(SIZE, bytes(other));
    }
  }

  /** Kilobytes of mapped files in memory. */
  private static long resident() throws IOException {
    var status = Path.of("/proc/self/status");
    assumeTrue(Files.exists(status), "no /proc here");
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("RssFile:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  /** A way in which weights are read. */
  record Reader(String name, ToLongFunction<MemorySegment> sum) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Reader> readers() {
    return Stream.of(
        new Reader("byte by byte", MappedFilesTest::bytes),
        new Reader("shorts", MappedFilesTest::shorts),
        new Reader(
            "copied to the heap",
            file -> {
              byte[] copy = file.toArray(JAVA_BYTE);
              return bytes(MemorySegment.ofArray(copy));
            }),
        new Reader(
            "copied outside of it",
            file -> {
              try (var arena = Arena.ofConfined()) {
                return bytes(arena.allocate(file.byteSize()).copyFrom(file));
              }
            }));
  }

  private static long bytes(MemorySegment segment) {
    long sum = 0;
    for (long i = 0; i < segment.byteSize(); i++) {
      sum += segment.get(JAVA_BYTE, i);
    }
    return sum;
  }

  private static long shorts(MemorySegment segment) {
    long sum = 0;
    for (long i = 0; i < segment.byteSize() / 2; i++) {
      sum += segment.get(JAVA_SHORT_UNALIGNED, 2 * i) & 1;
    }
    return 2 * sum;
  }

  @ParameterizedTest
  @MethodSource("readers")
  void whatIsGoneReadsAsZeroAndIsTold(Reader reader) throws IOException {
    assumeTrue(NativeLibrary.lack().isEmpty(), NativeLibrary.lack());
    for (int warm = 0; warm < 40; warm++) { // until it is compiled
      var file = file();
      try (var arena = Arena.ofShared();
          var files = new MappedFiles(arena)) {
        var bytes = files.map(file);
        assertEquals(SIZE, reader.sum().applyAsLong(bytes));
        files.checkUnchanged();
        truncate(file, SIZE / 4);
        assertEquals(SIZE / 4, reader.sum().applyAsLong(bytes));
        var error = assertThrows(InferenceException.class, files::checkRead);
        assertEquals(ErrorCode.MODEL_LOST, error.code());
        assertTrue(String.valueOf(error.getMessage()).contains(file.toString()));
        assertEquals(SIZE / 4, reader.sum().applyAsLong(bytes));
      }
    }
  }

  @Test
  void oneLostFileIsNotTheOthersLoss() throws IOException {
    assumeTrue(NativeLibrary.lack().isEmpty(), NativeLibrary.lack());
    var other = Files.write(folder.resolve("other"), new byte[SIZE]);
    try (var arena = Arena.ofShared();
        var files = new MappedFiles(arena);
        var others = new MappedFiles(arena)) {
      var bytes = files.map(file());
      var kept = others.map(other);
      truncate(folder.resolve("weights"), 0);
      assertEquals(0, bytes(bytes));
      assertEquals(0, bytes(kept));
      assertThrows(InferenceException.class, files::checkRead);
      assertDoesNotThrow(others::checkRead);
      assertDoesNotThrow(others::checkUnchanged);
    }
  }

  @Test
  void overwritingInPlaceIsFoundByItsTime() throws IOException {
    var file = file();
    try (var arena = Arena.ofShared();
        var files = new MappedFiles(arena)) {
      assertEquals(SIZE, bytes(files.map(file)));
      files.checkUnchanged();
      try (var opened = new RandomAccessFile(file.toFile(), "rw")) {
        opened.seek(SIZE / 2);
        opened.write(9);
      }
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1)));
      files.checkRead();
      var error = assertThrows(InferenceException.class, files::checkUnchanged);
      assertEquals(ErrorCode.MODEL_LOST, error.code());
      assertTrue(String.valueOf(error.getMessage()).contains("was changed"), error.getMessage());
    }
  }

  @Test
  void growingIsAChangeToo() throws IOException {
    var file = file();
    try (var arena = Arena.ofShared();
        var files = new MappedFiles(arena)) {
      var _ = files.map(file);
      truncate(file, SIZE + 1);
      assertThrows(InferenceException.class, files::checkUnchanged);
    }
  }

  @Test
  void aFileThatIsReplacedOrDeletedStaysAsItWasMapped() throws IOException {
    var file = file();
    var next = Files.write(folder.resolve("next"), new byte[7]);
    try (var arena = Arena.ofShared();
        var files = new MappedFiles(arena)) {
      var bytes = files.map(file);
      Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
      files.checkUnchanged();
      Files.delete(file);
      files.checkUnchanged();
      assertEquals(SIZE, bytes(bytes));
    }
  }

  @Test
  void thousandsOfFilesComeAndGo() throws IOException {
    var file = file();
    for (int i = 0; i < 10_000; i++) {
      try (var arena = Arena.ofConfined();
          var files = new MappedFiles(arena)) {
        assertEquals(1, files.map(file).get(JAVA_BYTE, 0));
        files.checkRead();
      }
    }
  }
}
