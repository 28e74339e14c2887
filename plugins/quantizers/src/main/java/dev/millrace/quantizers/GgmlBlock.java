package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;
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
  Q6_K(256, 210),
  /** Sixteen groups of 16 codes of 2 bits, with scales and minima of 4 bits under two of F16. */
  Q2_K(256, 84),
  /** Sixteen groups of 16 codes of 3 bits around 4, with scales of 6 bits under one of F16. */
  Q3_K(256, 110),
  /** F16 scale, 32 codes of 4 bits into a table. */
  IQ4_NL(32, 18),
  /** Eight groups of 32 codes into the table of {@link #IQ4_NL}, scales of 6 bits under one. */
  IQ4_XS(256, 136),
  /** Power of two as scale, 32 numbers in E2M1. */
  MXFP4(32, 17),
  /** F16 scale, 256 digits of −1, 0 and 1, five in a byte. */
  TQ1_0(256, 54),
  /** F16 scale, 256 digits of −1, 0 and 1, four in a byte. */
  TQ2_0(256, 66),
  /** Eight groups of 32, each eight points of a lattice of four with signs, scales of 4 bits. */
  IQ3_S(256, 110),
  /** Eight groups of 32, each four points of a lattice of eight with signs, scales of 4 bits. */
  IQ2_XXS(256, 66);

  private static final float[] NONE = {};
  private static final float[] IQ4 = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };
  private static final float[] E2M1 = {
    0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6
  };

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
      case Q4_0 -> new DeviceFormat.Int4(32, false, ScaleType.F16);
      case Q4_1 -> new DeviceFormat.Int4(32, true, ScaleType.F16);
      case Q5_0, Q8_0 -> new DeviceFormat.Int8(32, false, ScaleType.F16);
      case Q5_1 -> new DeviceFormat.Int8(32, true, ScaleType.F16);
      case Q4_K -> new DeviceFormat.Int4(32, true, ScaleType.TWO_LEVEL);
      case Q5_K -> new DeviceFormat.Int8(32, true, ScaleType.TWO_LEVEL);
      case Q6_K -> new DeviceFormat.Int8(16, false, ScaleType.TWO_LEVEL);
      case Q2_K -> new DeviceFormat.Int4(16, true, ScaleType.TWO_LEVEL);
      case Q3_K -> new DeviceFormat.Int4(16, false, ScaleType.TWO_LEVEL);
      case TQ1_0, TQ2_0 -> new DeviceFormat.Int4(128, false, ScaleType.F16);
      case IQ3_S -> new DeviceFormat.Int8(32, false, ScaleType.TWO_LEVEL);
      case IQ2_XXS -> new DeviceFormat.Int8(32);
      case IQ4_NL, IQ4_XS, MXFP4 -> new DeviceFormat.Code4(32);
    };
  }

  /** Columns that share a scale. */
  int group() {
    return switch (format()) {
      case DeviceFormat.Int8(int group, _, _) -> group;
      case DeviceFormat.Int4(int group, _, _) -> group;
      case DeviceFormat.Code4(int group) -> group;
      case DeviceFormat.F32 _,
          DeviceFormat.Bf16 _,
          DeviceFormat.F16 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          throw new AssertionError(this + " in " + format());
    };
  }

  /** The numbers that codes name; empty where they are numbers themselves. */
  float[] table() {
    return switch (this) {
      case IQ4_NL, IQ4_XS -> IQ4;
      case MXFP4 -> E2M1;
      case Q4_0,
          Q4_1,
          Q5_0,
          Q5_1,
          Q8_0,
          Q4_K,
          Q5_K,
          Q6_K,
          Q2_K,
          Q3_K,
          TQ1_0,
          TQ2_0,
          IQ3_S,
          IQ2_XXS ->
          NONE;
    };
  }

  /** The tensor that holds a matrix in this encoding. */
  String tensor(String matrix) {
    return matrix + "." + name().toLowerCase(Locale.ROOT);
  }
}
