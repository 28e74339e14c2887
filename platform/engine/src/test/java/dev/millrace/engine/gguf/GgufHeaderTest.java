package dev.millrace.engine.gguf;

import static dev.millrace.engine.gguf.GgufFaults.assertInvalid;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are damaged or lie are refused by name, before anything of them is used. */
class GgufHeaderTest {
  private static final byte[] NOTHING = {};

  @TempDir Path directory;
  private Path file = Path.of("");

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("model.gguf");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void bothVersionsAreRead(int version) {
    var writer = TinyGguf.writer();
    writer.version = version;
    var model = GgufModel.open(writer.write(file));
    assertEquals(32, model.config().get("hidden_size").intValue());
  }

  @Test
  void cutAnywhereItIsRefused() throws Exception {
    byte[] whole = TinyGguf.writer().bytes();
    for (int length = 0; length < whole.length; length += length < 2000 ? 1 : 97) {
      Files.write(file, Arrays.copyOf(whole, length));
      var error = assertThrows(InferenceException.class, () -> GgufModel.open(file));
      assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code(), String.valueOf(error.getMessage()));
    }
  }

  @Test
  void otherFilesAreRefused() {
    assertInvalid(file, NOTHING, "not a GGUF file");
    assertInvalid(
        file, "<html>not found</html>".getBytes(StandardCharsets.US_ASCII), "not a GGUF file");
    var writer = TinyGguf.writer();
    writer.version = 1;
    assertInvalid(file, writer.bytes(), "version 1", "known are 2 and 3");
    writer.version = 3 << 24;
    assertInvalid(file, writer.bytes(), "little-endian");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, 1L << 31, 1L << 62, 1 << 20})
  void countsThatLieAreRefused(long count) {
    var tensors = TinyGguf.writer();
    tensors.tensorCount = count;
    assertInvalid(file, tensors.bytes(), "number of tensors", Long.toUnsignedString(count));
    var keys = TinyGguf.writer();
    keys.keyCount = count;
    assertInvalid(file, keys.bytes(), "number of metadata keys", Long.toUnsignedString(count));
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 1L << 31, 1L << 62, 100_000})
  void stringsAndArraysThatLieAreRefused(long length) {
    assertInvalid(
        file, TinyGguf.writer().put("a.string", raw(8, length)).bytes(), "length of a.string");
    var array = new GgufWriter.Out();
    array.int32(9);
    array.int32(8);
    array.int64(length);
    var value = new GgufWriter.Raw(array.toByteArray());
    assertInvalid(file, TinyGguf.writer().put("an.array", value).bytes(), "length of an.array");
  }

  @Test
  void unknownTypesOfValuesAreRefused() {
    for (int type : new int[] {13, -1, 99}) {
      assertInvalid(
          file, TinyGguf.writer().put("a.value", raw(type, 0)).bytes(), "a.value", "value type");
    }
  }

  @Test
  void arraysWithinArraysEndSomewhere() {
    var nested = new GgufWriter.Out();
    nested.int32(9);
    for (int i = 0; i < 10_000; i++) {
      nested.int32(9);
      nested.int64(1);
    }
    var value = new GgufWriter.Raw(nested.toByteArray());
    assertInvalid(file, TinyGguf.writer().put("a.nest", value).bytes(), "a.nest", "deep");
  }

  @Test
  void aTruthThatIsNeitherIsRefused() {
    var two = new GgufWriter.Out();
    two.int32(7);
    two.write(2);
    var value = new GgufWriter.Raw(two.toByteArray());
    assertInvalid(file, TinyGguf.writer().put("a.flag", value).bytes(), "a.flag", "true or false");
  }

  @Test
  void aKeyThatIsThereTwiceIsRefused() {
    var twice = TinyGguf.writer();
    var second = new GgufWriter.Out();
    second.int32(4);
    second.int32(1);
    second.text("same");
    second.int32(4);
    second.int32(2);
    twice.put("same", new GgufWriter.Raw(second.toByteArray()));
    twice.keyCount = 19L;
    assertInvalid(file, twice.bytes(), "same twice");
  }

  @Test
  void aTensorThatIsThereTwiceIsRefused() {
    var twice = TinyGguf.writer().tensor("output.weight", GgufTensorType.F32, 32);
    assertInvalid(file, twice.bytes(), "output.weight twice");
  }

  @ParameterizedTest
  @ValueSource(longs = {1L << 20, Long.MAX_VALUE - 31, -32, Long.MIN_VALUE})
  void aTensorOutsideTheFileIsRefused(long offset) {
    var entry = new GgufWriter.Entry("far.weight", 0, new long[] {32}, offset, NOTHING);
    assertInvalid(file, TinyGguf.writer().add(entry).bytes(), "far.weight", "offset");
  }

  @Test
  void aTensorThatBeginsAnywhereIsRefused() {
    var entry = new GgufWriter.Entry("odd.weight", 0, new long[] {1}, 4L, NOTHING);
    assertInvalid(file, TinyGguf.writer().add(entry).bytes(), "odd.weight", "alignment 32");
  }

  @Test
  void tensorsInsideOneAnotherAreRefused() {
    var entry = new GgufWriter.Entry("inner.weight", 0, new long[] {8}, 32L, NOTHING);
    assertInvalid(
        file, TinyGguf.writer().add(entry).bytes(), "inner.weight inside token_embd.weight");
  }

  @Test
  void shapesThatCannotBeAreRefused() {
    long[][] shapes = {
      {},
      {1, 1, 1, 1, 1},
      {-1},
      {32, Long.MIN_VALUE},
      {1L << 40, 1L << 40},
      {32, 1L << 62},
      {Long.MAX_VALUE}
    };
    for (long[] shape : shapes) {
      var entry = new GgufWriter.Entry("bad.weight", 0, shape, null, NOTHING);
      assertInvalid(file, TinyGguf.writer().add(entry).bytes(), "bad.weight");
    }
    var unknown = new GgufWriter.Entry("new.weight", 4, new long[] {32}, null, NOTHING);
    assertInvalid(file, TinyGguf.writer().add(unknown).bytes(), "new.weight", "type 4");
    var half = new GgufWriter.Entry("half.weight", 8, new long[] {48}, null, NOTHING);
    assertInvalid(file, TinyGguf.writer().add(half).bytes(), "half.weight", "blocks");
  }

  @Test
  void anAlignmentThatIsNoneIsRefused() {
    for (Object value : List.of(0, 48, -32, 1 << 21, "32")) {
      assertInvalid(
          file, TinyGguf.writer().put("general.alignment", value).bytes(), "general.alignment");
    }
  }

  private static GgufWriter.Raw raw(int type, long number) {
    var out = new GgufWriter.Out();
    out.int32(type);
    out.int64(number);
    return new GgufWriter.Raw(out.toByteArray());
  }
}
