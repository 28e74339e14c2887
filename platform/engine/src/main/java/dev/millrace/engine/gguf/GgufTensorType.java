package dev.millrace.engine.gguf;

import dev.millrace.spi.quant.DType;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The element encodings of GGUF tensors by their numbers: so many elements of a row share so many
 * bytes. Which of them can be computed with is another matter.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the GGUF format</a>
 */
enum GgufTensorType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q8_1(9, 32, 36),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  Q8_K(15, 256, 292),
  IQ2_XXS(16, 256, 66),
  IQ2_XS(17, 256, 74),
  IQ3_XXS(18, 256, 98),
  IQ1_S(19, 256, 50),
  IQ4_NL(20, 32, 18),
  IQ3_S(21, 256, 110),
  IQ2_S(22, 256, 82),
  IQ4_XS(23, 256, 136),
  I8(24, 1, 1),
  I16(25, 1, 2),
  I32(26, 1, 4),
  I64(27, 1, 8),
  F64(28, 1, 8),
  IQ1_M(29, 256, 56),
  BF16(30, 1, 2),
  TQ1_0(34, 256, 54),
  TQ2_0(35, 256, 66),
  MXFP4(39, 32, 17);

  private final int number;
  private final int elements;
  private final int bytes;

  GgufTensorType(int number, int elements, int bytes) {
    this.number = number;
    this.elements = elements;
    this.bytes = bytes;
  }

  /** The type of a number, or null if there is none. */
  static @Nullable GgufTensorType of(int number) {
    for (GgufTensorType type : values()) {
      if (type.number == number) {
        return type;
      }
    }
    return null;
  }

  /** Elements of a block. */
  int elements() {
    return elements;
  }

  /** Bytes of a block. */
  int bytes() {
    return bytes;
  }

  /** The same type in safetensors files, or null if elements are stored in blocks. */
  @Nullable DType dtype() {
    return switch (this) {
      case F32 -> DType.F32;
      case F16 -> DType.F16;
      case BF16 -> DType.BF16;
      case F64 -> DType.F64;
      case I8 -> DType.I8;
      case I16 -> DType.I16;
      case I32 -> DType.I32;
      case I64 -> DType.I64;
      default -> null;
    };
  }

  /** Bits that an element takes in memory, in the device format that holds it exactly. */
  int bitsInMemory() {
    return switch (this) {
      case Q4_0, IQ4_NL, IQ4_XS, MXFP4, TQ1_0, TQ2_0 -> 5;
      case Q4_1, Q4_K, Q3_K -> 6;
      case Q2_K -> 8;
      case Q5_0, Q8_0, IQ3_S, IQ2_XXS -> 9;
      case Q5_1, Q5_K, Q6_K -> 10;
      default -> dtype() == null ? 32 : 8 * bytes;
    };
  }

  /** The suffix of a module's tensor in this encoding. */
  String suffix() {
    return name().toLowerCase(Locale.ROOT);
  }
}
