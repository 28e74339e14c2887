package dev.millrace.engine.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KvDtypeTest {
  private final MemorySegment memory = MemorySegment.ofArray(new byte[8]);

  @ParameterizedTest
  @CsvSource({
    "0x00, 0",
    "0x80, -0.0",
    "0x01, 0.001953125",
    "0x07, 0.013671875",
    "0x08, 0.015625",
    "0x38, 1",
    "0x39, 1.125",
    "0xb8, -1",
    "0x40, 2",
    "0x77, 240",
    "0x7e, 448",
    "0xfe, -448"
  })
  void eightBitsMeanWhatTheirFormatSays(String code, float value) {
    memory.set(ValueLayout.JAVA_BYTE, 0, (byte) (int) Integer.decode(code));
    assertEquals(value, read(KvDtype.FP8_E4M3));
    assertEquals(value, stored(KvDtype.FP8_E4M3, value));
  }

  @ParameterizedTest
  @CsvSource({
    "1.0625, 1",
    "1.1875, 1.25",
    "1.07, 1.125",
    "464, 448",
    "1e30, 448",
    "-Infinity, -448",
    "0.0009765625, 0",
    "0.0009766, 0.001953125",
    "0.0029296875, 0.00390625",
    "0.0151, 0.015625",
    "15.6, 16",
    "NaN, NaN"
  })
  void eightBitsRoundToTheNearestTiesToEvenAndSaturate(float value, float expected) {
    assertEquals(expected, stored(KvDtype.FP8_E4M3, value));
  }

  @Test
  void everyCodeSurvives() {
    for (int code = 0; code < 1 << 16; code++) {
      for (var dtype : new KvDtype[] {KvDtype.BFLOAT16, KvDtype.FLOAT16, KvDtype.FP8_E4M3}) {
        memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) code);
        float value = read(dtype);
        assertEquals(value, stored(dtype, value), dtype + " " + code);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 0",
    "BFLOAT16, 0x1p-8",
    "FLOAT16, 0x1p-11",
    "FP8_E4M3, 0x1p-4",
    "INT8, 0x1p-22"
  })
  void errorsAreAtMostHalfAStep(KvDtype dtype, double relative) {
    var random = new SplittableRandom(1);
    for (int i = 0; i < 10_000; i++) {
      float value = (float) random.nextDouble(0.02, 400);
      double error = Math.abs(stored(dtype, value) - value);
      assertTrue(error <= relative * value, dtype + " " + value);
    }
  }

  @Test
  void integersShareTheScaleOfTheirLargest() {
    float[] numbers = {0.5f, -127, 63.4f, -0.4f, 0};
    assertArrayEquals(new float[] {0, -127, 63, 0, 0}, storedTogether(numbers));
    assertArrayEquals(new float[4], storedTogether(new float[4]));
    float tiny = 180 * Float.MIN_VALUE; // a 127th of it is rounded to 1
    assertArrayEquals(new float[] {127 * Float.MIN_VALUE}, storedTogether(tiny));
    float[] none = {Float.NaN, Float.NaN};
    assertArrayEquals(none, storedTogether(1, Float.NEGATIVE_INFINITY));
    assertArrayEquals(none, storedTogether(Float.NaN, 1));
    assertEquals(20, KvDtype.INT8.headBytes(16));
  }

  private static float[] storedTogether(float... numbers) {
    var memory = MemorySegment.ofArray(new byte[(int) KvDtype.INT8.headBytes(numbers.length) + 1]);
    KvDtype.INT8.encode(numbers, numbers.length, memory, 1);
    float[] out = new float[numbers.length];
    KvDtype.INT8.decode(memory, 1, out, out.length);
    return out;
  }

  @Test
  void namesAreVllmsAndOthersAreRefused() {
    for (var dtype : KvDtype.values()) {
      assertEquals(dtype, KvDtype.of(dtype.label()));
    }
    assertEquals(KvDtype.FP8_E4M3, KvDtype.of("fp8"));
    var error = assertThrows(InferenceException.class, () -> KvDtype.of("int3"));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
  }

  private float stored(KvDtype dtype, float value) {
    dtype.encode(new float[] {value}, 1, memory, 1);
    float[] out = new float[1];
    dtype.decode(memory, 1, out, 1);
    return out[0];
  }

  private float read(KvDtype dtype) {
    float[] out = new float[1];
    dtype.decode(memory, 0, out, 1);
    return out[0];
  }
}
