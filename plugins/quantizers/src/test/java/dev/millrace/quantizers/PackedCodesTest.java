package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PackedCodesTest {
  private final Random random = new Random(1);

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 7, 8, 9, 31, 32, 33, 127, 128, 257, 4096})
  void codesAreTheBitsOfTheirPlaces(int count) {
    for (int bits = 2; bits <= 8; bits++) {
      for (int perWord : new int[] {0, 32 / bits}) {
        byte[] words = new byte[4 * (perWord == 0 ? count : count / perWord + 1) + 8];
        random.nextBytes(words);
        byte[] expected = new byte[count];
        for (int i = 0; i < count; i++) {
          int bit = perWord == 0 ? i * bits : i / perWord * 32 + i % perWord * bits;
          for (int b = bit; b < bit + bits; b++) {
            expected[i] |= (byte) ((words[b / 8] >> (b % 8) & 1) << (b - bit));
          }
        }
        byte[] found = new byte[count];
        PackedCodes.spread(words, bits, perWord, found);
        assertArrayEquals(expected, found, bits + " bits, " + perWord + " in a word");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 15, 16, 17, 31, 32, 33, 48, 63, 128, 257})
  void nibblesArePackedInRunsOf32(int count) {
    for (boolean signed : new boolean[] {false, true}) {
      byte[] codes = new byte[count];
      for (int i = 0; i < count; i++) {
        codes[i] = (byte) (random.nextInt(16) - (signed ? 8 : 0));
      }
      byte[] packed = new byte[16 * Math.ceilDiv(count, 32)];
      Nibbles.pack(codes, signed, packed);
      for (int i = 0; i < count; i++) {
        int both = packed[16 * (i / 32) + i % 16];
        int code = i % 32 < 16 ? both & 15 : both >> 4 & 15;
        assertEquals(codes[i], code - (signed ? 8 : 0), "column " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void halvesOfBytesAreCodes(boolean signed) {
    byte[] bytes = new byte[8];
    random.nextBytes(bytes);
    byte[] codes = new byte[16];
    Nibbles.low(bytes, 0, signed, codes, 0);
    Nibbles.high(bytes, 0, signed, codes, 8);
    for (int i = 0; i < 8; i++) {
      assertEquals((bytes[i] & 15) - (signed ? 8 : 0), codes[i]);
      assertEquals((bytes[i] >> 4 & 15) - (signed ? 8 : 0), codes[8 + i]);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void eightWordsAreTurned(int w) {
    int[][] words = new int[8][w + 1];
    for (int[] word : words) {
      word[w] = random.nextInt();
    }
    long[] turned = new long[8];
    Nibbles.turn(words, w, turned);
    for (int n = 0; n < 8; n++) {
      for (int i = 0; i < 8; i++) {
        assertEquals(words[n][w] >>> 4 * i & 15, turned[i] >>> 8 * n & 255);
      }
    }
  }
}
