package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import java.util.Locale;

/**
 * The block encodings of GGUF files that can be read, and the device format that holds each of them
 * without loss. A block is a run of columns of one row.
 *
 * @see <a href="https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-common.h">ggml's
 *     block layouts</a>
 */
enum GgmlBlock {
  /** F16 scale, 32 codes of 4 bits around 8. */
  Q4_0(32, 18),
  /** F16 scale and minimum, 32 codes of 4 bits. */
  Q4_1(32, 20),
  /** F16 scale, 32 codes of 5 bits around 16. */
  Q5_0(32, 22),
  /** F16 scale and minimum, 32 codes of 5 bits. */
  Q5_1(32, 24),
  /** F16 scale, 32 signed bytes. */
  Q8_0(32, 34),
  /** Eight groups of 32 codes of 4 bits, with scales and minima of 6 bits under two of F16. */
  Q4_K(256, 144),
  /** As {@link #Q4_K}, with codes of 5 bits. */
  Q5_K(256, 176),
  /** Sixteen groups of 16 codes of 6 bits around 32, with scales of 8 bits under one of F16. */
  Q6_K(256, 210);

  private final int columns;
  private final int bytes;

  GgmlBlock(int columns, int bytes) {
    this.columns = columns;
    this.bytes = bytes;
  }

  /** Columns of a block. */
  int columns() {
    return columns;
  }

  /** Bytes of a block. */
  int bytes() {
    return bytes;
  }

  /** What a matrix of such blocks becomes. */
  DeviceFormat format() {
    return switch (this) {
      case Q4_0 -> new DeviceFormat.Int4(32, false);
      case Q4_1, Q4_K -> new DeviceFormat.Int4(32, true);
      case Q5_0, Q8_0 -> new DeviceFormat.Int8(32);
      case Q6_K -> new DeviceFormat.Int8(16);
      case Q5_1, Q5_K -> new DeviceFormat.Int8(32, true);
    };
  }

  /** The tensor that holds a matrix in this encoding. */
  String tensor(String matrix) {
    return matrix + "." + name().toLowerCase(Locale.ROOT);
  }
}
