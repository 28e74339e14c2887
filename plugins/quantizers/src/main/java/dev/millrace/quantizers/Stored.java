package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The tensors that belong to a matrix, held to their types and shapes and read element by element.
 */
record Stored(CheckpointTensor tensor) {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * A tensor of one of these types, whose bytes fit its shape.
   *
   * @throws InferenceException {@code MISSING_TENSOR}, {@code INVALID_CHECKPOINT} or {@code
   *     UNSUPPORTED_QUANTIZATION}, by its name
   */
  static Stored of(Checkpoint checkpoint, String name, DType... types) {
    var tensor = checkpoint.tensor(name);
    if (!List.of(types).contains(tensor.dtype())) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "%s is stored as %s; known: %s".formatted(name, tensor.dtype(), List.of(types)));
    }
    if (!fits(tensor)) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "%s of %s %s has %d bytes"
              .formatted(name, tensor.dtype(), tensor.shape(), tensor.bytes().byteSize()));
    }
    return new Stored(tensor);
  }

  private static boolean fits(CheckpointTensor tensor) {
    try {
      long bytes = Math.multiplyExact(tensor.elements(), tensor.dtype().bytes());
      return tensor.bytes().byteSize() == bytes;
    } catch (ArithmeticException _) {
      return false;
    }
  }

  /** A matrix of one of these types, both of whose sides can be counted in 31 bits. */
  static Stored matrix(Checkpoint checkpoint, String name, DType... types) {
    var stored = of(checkpoint, name, types);
    var shape = stored.tensor.shape();
    if (shape.size() != 2) {
      throw stored.badShape("a matrix");
    }
    if (shape.stream().anyMatch(side -> side < 1 || side > Integer.MAX_VALUE / 32)) {
      throw stored.badShape("of sides from 1 to " + Integer.MAX_VALUE / 32);
    }
    return stored;
  }

  /** This tensor, which must have this shape. */
  Stored shaped(long... wanted) {
    var shape = tensor.shape();
    boolean equal = shape.size() == wanted.length;
    for (int i = 0; equal && i < wanted.length; i++) {
      equal = shape.get(i) == wanted[i];
    }
    if (!equal) {
      throw badShape("[" + join(wanted) + "], as its neighbours and the configuration want it");
    }
    return this;
  }

  private static String join(long... sides) {
    var text = new StringBuilder();
    for (long side : sides) {
      text.append(text.isEmpty() ? "" : ", ").append(side);
    }
    return text.toString();
  }

  InferenceException badShape(String wanted) {
    return new InferenceException(
        ErrorCode.BAD_SHAPE, "%s is %s, not %s".formatted(name(), tensor.shape(), wanted));
  }

  String name() {
    return tensor.name();
  }

  /** A side of a matrix. */
  int side(int dimension) {
    return tensor.shape().get(dimension).intValue();
  }

  MemorySegment bytes() {
    return tensor.bytes();
  }

  int integer(long index) {
    return tensor.bytes().get(INT, Integer.BYTES * index);
  }

  /** Reads elements of a tensor of I32 that follow one another. */
  void integers(long first, int[] out, int count) {
    MemorySegment.copy(tensor.bytes(), INT, Integer.BYTES * first, out, 0, count);
  }

  long whole(long index) {
    return tensor.bytes().get(LONG, Long.BYTES * index);
  }

  /** Reads bytes of a tensor that follow one another. */
  void octets(long first, byte[] out, int count) {
    MemorySegment.copy(tensor.bytes(), ValueLayout.JAVA_BYTE, first, out, 0, count);
  }

  byte octet(long index) {
    return tensor.bytes().get(ValueLayout.JAVA_BYTE, index);
  }

  /** An element of a tensor of floating-point numbers. */
  float number(long index) {
    return switch (tensor.dtype()) {
      case F32 -> tensor.bytes().get(FLOAT, Float.BYTES * index);
      case F16 -> Float.float16ToFloat(tensor.bytes().get(SHORT, Short.BYTES * index));
      case BF16 -> Float.intBitsToFloat(tensor.bytes().get(SHORT, Short.BYTES * index) << 16);
      case F8_E4M3 -> Float8.e4m3(octet(index));
      case F8_E5M2 -> Float8.e5m2(octet(index));
      case F8_E8M0 -> Float8.e8m0(octet(index));
      case F64, I64, I32, I16, I8, U64, U32, U16, U8, BOOL ->
          throw new AssertionError(name() + " has no floating-point numbers");
    };
  }

  /** What holds every element of a tensor of floating-point numbers exactly. */
  ScaleType type() {
    return switch (tensor.dtype()) {
      case F16 -> ScaleType.F16;
      case BF16 -> ScaleType.BF16;
      default -> ScaleType.F32;
    };
  }

  /** All elements of a tensor of I32. */
  int[] integers() {
    int[] all = new int[Math.toIntExact(tensor.elements())];
    integers(0, all, all.length);
    return all;
  }
}
