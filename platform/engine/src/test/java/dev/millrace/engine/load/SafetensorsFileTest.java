package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertInvalid;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
  @TempDir Path directory;
  private Path file = Path.of("");

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("m.safetensors");
  }

  @Test
  void tensorsAreReadOnlySlicesInTheOrderOfTheHeader() throws IOException {
    valid().write(file);
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile opened = SafetensorsFile.open(file, new MappedFiles(arena));
      assertEquals(List.of("a", "empty", "scalar"), List.copyOf(opened.tensors().keySet()));
      CheckpointTensor a = opened.tensors().firstEntry().getValue();
      assertEquals(DType.F32, a.dtype());
      assertEquals(List.of(2L, 3L), a.shape());
      assertTrue(a.bytes().isReadOnly());
      assertEquals(24, a.bytes().byteSize());
      CheckpointTensor scalar = opened.tensors().lastEntry().getValue();
      assertEquals(List.of(), scalar.shape());
      assertArrayEquals(new byte[] {7}, scalar.bytes().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void metadataPaddingAndHolesAreAllowed() throws IOException {
    String header =
        """
        {"__metadata__":{"format":"pt","nested":"x"},
         "b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},
         "a":{"dtype":"U8","shape":[1],"data_offsets":[1,2],"more":{}}}      \
        """;
    SafetensorsWriter.write(file, header, new byte[] {0, 1, 2, 3, 4, 5});
    try (Arena arena = Arena.ofConfined()) {
      var tensors = SafetensorsFile.open(file, new MappedFiles(arena)).tensors();
      assertEquals(3, tensors.firstEntry().getValue().bytes().get(ValueLayout.JAVA_BYTE, 0));
      assertEquals(1, tensors.lastEntry().getValue().bytes().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void tensorsLieBeyondTwoGibibytes() throws IOException {
    String header =
        "{\"far\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2999999999,3000000000]}}";
    SafetensorsWriter.write(file, header, new byte[0]);
    long size = Files.size(file) + 3_000_000_000L;
    try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(size);
      sparse.seek(size - 1);
      sparse.write(42);
    }
    try (Arena arena = Arena.ofConfined()) {
      CheckpointTensor far =
          SafetensorsFile.open(file, new MappedFiles(arena)).tensors().firstEntry().getValue();
      assertEquals(42, far.bytes().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void everyTruncationIsNoticed() throws IOException {
    valid().write(file);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertInvalid(this::open, file.toString());
    }
  }

  @Test
  void aFlippedByteNeverLeadsOutOfTheFile() throws IOException {
    valid().write(file);
    byte[] whole = Files.readAllBytes(file);
    var random = new SplittableRandom(5);
    for (int round = 0; round < 600; round++) {
      byte[] damaged = whole.clone();
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, damaged);
      try (Arena arena = Arena.ofConfined()) {
        for (CheckpointTensor tensor :
            SafetensorsFile.open(file, new MappedFiles(arena)).tensors().values()) {
          long bytes = tensor.elements() * tensor.dtype().bytes();
          assertEquals(bytes, tensor.bytes().toArray(ValueLayout.JAVA_BYTE).length);
        }
      } catch (InferenceException e) {
        assertEquals(ErrorCode.INVALID_CHECKPOINT, e.code());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 1L << 40, Long.MIN_VALUE, Long.MAX_VALUE, 27, 100_000_001})
  void aLyingHeaderLengthIsRefused(long length) throws IOException {
    byte[] header = "{}".getBytes(UTF_8);
    SafetensorsWriter.write(file, length, header, new byte[16]);
    assertInvalid(this::open, file.toString(), Long.toUnsignedString(length));
  }

  @Test
  void aHeaderAboveTheLimitIsRefusedThoughTheFileHasIt() throws IOException {
    try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.writeLong(Long.reverseBytes(100_000_001));
      sparse.setLength(200_000_000);
    }
    assertInvalid(this::open, "100000001", "1 to 100000000");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{",
        "{}{}",
        "{} x",
        "{\"a\":1}",
        "{\"a\":null}",
        "{\"a\":{}}",
        "\0\0\0\0",
        "{\"a\0\":1}",
        "{}\0\0",
        "{\"a\":{\"dtype\":\"U8\"}}"
      })
  void headersThatAreNoHeadersAreRefused(String header) throws IOException {
    SafetensorsWriter.write(file, header, new byte[8]);
    assertInvalid(this::open, file.toString());
  }

  @Test
  void aHeaderInUtf16OrBadUtf8IsRefused() throws IOException {
    byte[] wide = "{}".getBytes(StandardCharsets.UTF_16LE);
    SafetensorsWriter.write(file, wide.length, wide, new byte[0]);
    assertInvalid(this::open, file.toString());
    byte[] broken = {'{', '"', (byte) 0xC3, '"', ':', '1', '}'};
    SafetensorsWriter.write(file, broken.length, broken, new byte[0]);
    assertInvalid(this::open, "UTF-8");
  }

  @Test
  void deepNestingIsRefusedNotOverflowed() throws IOException {
    SafetensorsWriter.write(file, "{\"a\":" + "[".repeat(200_000), new byte[0]);
    assertInvalid(this::open, file.toString());
    SafetensorsWriter.write(file, "{\"__metadata__\":" + "[".repeat(200_000), new byte[0]);
    assertInvalid(this::open, file.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "F4      | [2]                       | [0,2]   | dtype",
        "f32     | [1]                       | [0,4]   | dtype",
        "U8      | [-2]                      | [0,2]   | negative",
        "U8      | [-1,-2]                   | [0,2]   | negative",
        "U8      | [2.0]                     | [0,2]   | shape",
        "U8      | [\"2\"]                   | [0,2]   | shape",
        "U8      | 2                         | [0,2]   | shape",
        "U8      | [9223372036854775808]     | [0,2]   | shape",
        "F64     | [4294967296,4294967296]   | [0,8]   | 2^63",
        "F32     | [4611686018427387904]     | [0,0]   | 2^63",
        "U8      | [2]                       | [0,3]   | needs 2",
        "F32     | [2]                       | [0,4]   | needs 8",
        "U8      | [2]                       | [2,0]   | data_offsets",
        "U8      | [2]                       | [-2,0]  | data_offsets",
        "U8      | [9]                       | [0,9]   | cut off",
        "U8      | [2]                       | [7,9]   | cut off",
        "U8      | [2]                       | [9,11]  | cut off",
        "U8      | [0]                       | [9,9]   | cut off",
        "U8      | [2]                       | [0]     | data_offsets",
        "U8      | [2]                       | [0,1,2] | data_offsets",
        "U8      | [2]                       | [0,1e1] | data_offsets",
        "U8      | [9223372036854775807]     | [9223372036854775807,-2] | data_offsets",
      })
  void aWrongDescriptionNamesFileAndTensor(String dtype, String shape, String offsets, String word)
      throws IOException {
    String header =
        "{\"layer.bad\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
            .formatted(dtype, shape, offsets);
    SafetensorsWriter.write(file, header, new byte[8]);
    assertInvalid(this::open, file.toString(), "layer.bad", word);
  }

  @Test
  void overlappingTensorsAreRefused() throws IOException {
    String header =
        """
        {"first":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},
         "nothing":{"dtype":"U8","shape":[0],"data_offsets":[2,2]},
         "second":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}\
        """;
    SafetensorsWriter.write(file, header, new byte[8]);
    assertInvalid(this::open, file.toString(), "first", "second");
  }

  @Test
  void aNameThatIsThereTwiceIsRefused() throws IOException {
    String header =
        """
        {"twin":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
         "twin":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}\
        """;
    SafetensorsWriter.write(file, header, new byte[8]);
    assertInvalid(this::open, "twin", "twice");
    String inside =
        "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    SafetensorsWriter.write(file, inside, new byte[8]);
    assertInvalid(this::open, file.toString(), "dtype");
  }

  @Test
  void aGitLfsPointerIsRecognized() throws IOException {
    Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    assertInvalid(this::open, "Git LFS");
  }

  @Test
  void aMissingFileAndADirectoryAreRefusedByName() throws IOException {
    assertInvalid(this::open, file.toString());
    Files.createDirectory(file);
    assertInvalid(this::open, file.toString());
  }

  @Test
  void tensorsDieWithTheArena() throws IOException {
    valid().write(file);
    List<CheckpointTensor> kept;
    try (Arena arena = Arena.ofConfined()) {
      kept = List.copyOf(SafetensorsFile.open(file, new MappedFiles(arena)).tensors().values());
    }
    CheckpointTensor tensor = kept.getLast();
    assertThrows(IllegalStateException.class, () -> tensor.bytes().get(ValueLayout.JAVA_BYTE, 0));
  }

  private void open() {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsFile.open(file, new MappedFiles(arena));
    }
  }

  private static SafetensorsWriter valid() {
    return new SafetensorsWriter()
        .add("a", DType.F32, new float[] {1, 2, 3, 4, 5, 6}, 2, 3)
        .add("empty", DType.BF16, new float[0], 0, 3)
        .add("scalar", DType.U8, new byte[] {7});
  }
}
