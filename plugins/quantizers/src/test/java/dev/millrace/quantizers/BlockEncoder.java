package dev.millrace.quantizers;

import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Encodes weights in blocks, in the plainest way: good enough to be decoded again. */
record BlockEncoder(GgmlBlock type) {
  /** A checkpoint with the matrix as the engine shows it. */
  MemoryCheckpoint checkpoint(String matrix, int rows, int cols, float[] weights) {
    int rowBytes = cols / type.columns() * type.bytes();
    var out = ByteBuffer.allocate(rows * rowBytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < weights.length; at += type.columns()) {
      block(weights, at, out);
    }
    return new MemoryCheckpoint()
        .bytes(type.tensor(matrix), DType.U8, List.of(rows, rowBytes), out.array());
  }

  private void block(float[] x, int at, ByteBuffer out) {
    switch (type) {
      case Q8_0 -> {
        float scale = half(largest(x, at, 32) / 127, out);
        for (int i = 0; i < 32; i++) {
          out.put((byte) code(x[at + i], scale, -127, 127));
        }
      }
      case Q4_0 -> {
        float scale = half(-largest(x, at, 32) / 7, out);
        for (int i = 0; i < 16; i++) {
          int low = code(x[at + i], scale, -8, 7) + 8;
          int high = code(x[at + 16 + i], scale, -8, 7) + 8;
          out.put((byte) (low | (high << 4)));
        }
      }
      case Q4_K -> fourBits(x, at, out);
      case Q6_K -> sixBits(x, at, out);
      default -> throw new IllegalArgumentException("no encoder of " + type);
    }
  }

  /** The scale and the minimum are the same for all eight groups. */
  private static void fourBits(float[] x, int at, ByteBuffer out) {
    float largest = largest(x, at, 256);
    float scale = half(largest * 2 / 15 / 63, out) * 63;
    float minimum = half(largest / 63, out) * 63;
    for (int i = 0; i < 8; i++) {
      out.put((byte) 0xFF); // 63, and the upper bits of another 63
    }
    for (int i = 0; i < 4; i++) {
      out.put((byte) 0xFF);
    }
    for (int pair = 0; pair < 256; pair += 64) {
      for (int i = pair; i < pair + 32; i++) {
        int low = code(x[at + i] + minimum, scale, 0, 15);
        int high = code(x[at + 32 + i] + minimum, scale, 0, 15);
        out.put((byte) (low | (high << 4)));
      }
    }
  }

  private static void sixBits(float[] x, int at, ByteBuffer out) {
    var scaleBits = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
    float unit = half(largest(x, at, 256) / 31 / 127, scaleBits);
    int[] codes = new int[256];
    byte[] scales = new byte[16];
    for (int g = 0; g < 16; g++) {
      int scale = code(largest(x, at + 16 * g, 16) / 31, unit, 0, 127);
      scales[g] = (byte) (g % 2 == 0 ? scale : -scale);
      for (int i = 16 * g; i < 16 * g + 16; i++) {
        codes[i] = code(x[at + i], unit * scales[g], -31, 31) + 32;
      }
    }
    for (int half = 0; half < 256; half += 128) {
      for (int i = half; i < half + 64; i++) {
        out.put((byte) ((codes[i] & 15) | ((codes[i + 64] & 15) << 4)));
      }
    }
    for (int half = 0; half < 256; half += 128) {
      for (int i = half; i < half + 32; i++) {
        int high = (codes[i] >> 4) | ((codes[i + 32] >> 4) << 2) | ((codes[i + 64] >> 4) << 4);
        out.put((byte) (high | ((codes[i + 96] >> 4) << 6)));
      }
    }
    out.put(scales).put(scaleBits.array());
  }

  private static float half(float value, ByteBuffer out) {
    short bits = Float.floatToFloat16(value);
    out.putShort(bits);
    return Float.float16ToFloat(bits);
  }

  private static int code(float weight, float scale, int low, int high) {
    return scale == 0 ? 0 : Math.clamp(Math.round((double) weight / scale), low, high);
  }

  private static float largest(float[] x, int at, int count) {
    float largest = 0;
    for (int i = at; i < at + count; i++) {
      largest = Math.max(largest, Math.abs(x[i]));
    }
    return largest;
  }
}
