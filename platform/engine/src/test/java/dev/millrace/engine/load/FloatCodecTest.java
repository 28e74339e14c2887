package dev.millrace.engine.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FloatCodecTest {
  @Test
  void everyF16DecodesToTheNumberTheStandardGivesIt() {
    float[] decoded = decodeAll(FloatCodec.F16);
    for (int word = 0; word < 65536; word++) {
      int exponent = word >> 10 & 31;
      int fraction = word & 1023;
      double magnitude =
          exponent == 31
              ? (fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
              : exponent == 0
                  ? Math.scalb((double) fraction, -24)
                  : Math.scalb(1024.0 + fraction, exponent - 25);
      assertEquals((float) (word < 32768 ? magnitude : -magnitude), decoded[word]);
    }
  }

  @Test
  void everyBf16DecodesToItsUpperHalf() {
    float[] decoded = decodeAll(FloatCodec.BF16);
    for (int word = 0; word < 65536; word++) {
      assertEquals(Float.intBitsToFloat(word << 16), decoded[word]);
    }
  }

  @ParameterizedTest
  @EnumSource(FloatCodec.class)
  void encodedNumbersDecodeToThemselves(FloatCodec codec) {
    float[] values = decodeAll(codec == FloatCodec.F32 ? FloatCodec.BF16 : codec);
    byte[] bytes = new byte[values.length * codec.bytes()];
    codec.encode(values, values.length, MemorySegment.ofArray(bytes), 0);
    float[] again = new float[values.length];
    codec.decode(MemorySegment.ofArray(bytes), 0, again, again.length);
    assertArrayEquals(values, again);
  }

  /** Halfway cases, and their neighbours in binary32, against exact decimal distances. */
  @ParameterizedTest
  @EnumSource(
      value = FloatCodec.class,
      names = {"BF16", "F16"})
  void roundingGoesToTheNearestAndHalfwayToEven(FloatCodec codec) {
    float[] all = decodeAll(codec);
    for (int word = 0; word < 32767; word++) {
      float low = all[word];
      float high = all[word + 1];
      if (!Float.isFinite(high)) {
        break;
      }
      BigDecimal middle =
          new BigDecimal(low).add(new BigDecimal(high)).divide(BigDecimal.valueOf(2));
      float halfway = middle.floatValue();
      if (new BigDecimal(halfway).compareTo(middle) == 0) {
        assertEquals(word % 2 == 0 ? low : high, codec.round(halfway));
        assertEquals(low, codec.round(Math.nextDown(halfway)));
        assertEquals(high, codec.round(Math.nextUp(halfway)));
        assertEquals(-codec.round(halfway), codec.round(-halfway));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F16, 65519.996, 65504", "F16, 65520, Infinity", "F16, -1e30, -Infinity",
    "BF16, 3.4028235e38, Infinity", "BF16, -Infinity, -Infinity", "F16, -0.0, -0.0",
    "F32, 3.4028235e38, 3.4028235e38"
  })
  void theEndsOfTheRangeRoundAsIeee754Says(FloatCodec codec, float value, float rounded) {
    assertEquals(rounded, codec.round(value));
  }

  @ParameterizedTest
  @EnumSource(FloatCodec.class)
  void aNanStaysANan(FloatCodec codec) {
    for (int bits : new int[] {0x7F800001, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF}) {
      assertTrue(Float.isNaN(codec.round(Float.intBitsToFloat(bits))));
    }
  }

  @ParameterizedTest
  @EnumSource(FloatCodec.class)
  void numbersAreFoundAtAnyOffsetOfAnyAddress(FloatCodec codec) {
    byte[] bytes = new byte[1 + 5 * codec.bytes()];
    MemorySegment odd = MemorySegment.ofArray(bytes).asSlice(1);
    codec.encode(new float[] {1, 2, 3, 9}, 3, odd, 2);
    float[] out = new float[3];
    Arrays.fill(out, 7);
    codec.decode(odd, 3, out, 2);
    assertArrayEquals(new float[] {2, 3, 7}, out);
    assertEquals(0, bytes[2 * codec.bytes()]);
  }

  private static float[] decodeAll(FloatCodec codec) {
    byte[] bytes = new byte[65536 * codec.bytes()];
    for (int word = 0; word < 65536; word++) {
      bytes[2 * word] = (byte) word;
      bytes[2 * word + 1] = (byte) (word >> 8);
    }
    float[] out = new float[65536];
    codec.decode(MemorySegment.ofArray(bytes), 0, out, out.length);
    return out;
  }
}
