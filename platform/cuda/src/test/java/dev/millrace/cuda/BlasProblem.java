package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/**
 * Random operands of a product in device memory, its result in F64, and a place for what the device
 * makes of it. Numbers between the rows of x are NaN, and those between the rows of the result
 * stay.
 */
final class BlasProblem implements AutoCloseable {
  private static final byte UNTOUCHED = 0x11;

  private final BlasShape shape;
  private final int rows;
  private final Owned owned = new Owned();
  private final Arena arena = Arena.ofShared();
  private final double[] x;
  private final double[] weights;
  private final double[] bias;
  private final double[] xScales;
  private final double[] weightScales;
  final BlasLinear.Operands operands;
  private final Memory xMemory;
  private final Memory outMemory;

  BlasProblem(BlasShape shape, int rows, long seed) {
    this.shape = shape;
    this.rows = rows;
    var random = new SplittableRandom(seed);
    x = numbers(shape.in(), rows, shape.ins(), shape.xStride(), random);
    weights = numbers(shape.in(), shape.outs(), shape.ins(), shape.ins(), random);
    bias = numbers(shape.biasType(), 1, shape.outs(), shape.outs(), random);
    boolean perRow = shape.scales() == BlasShape.Scales.ROWS;
    xScales = numbers(BlasType.FLOAT32, 1, perRow ? rows : 1, perRow ? rows : 1, random);
    int scales = perRow ? shape.outs() : 1;
    weightScales = numbers(BlasType.FLOAT32, 1, scales, scales, random);
    xMemory = upload(shape.in(), x);
    outMemory = memory(shape.outBytes(rows));
    boolean scaled = shape.scales() != BlasShape.Scales.NONE;
    operands =
        new BlasLinear.Operands(
            xMemory.address(),
            scaled ? upload(BlasType.FLOAT32, xScales).address() : 0,
            upload(shape.in(), weights).address(),
            scaled ? upload(BlasType.FLOAT32, weightScales).address() : 0,
            shape.bias() ? upload(shape.biasType(), bias).address() : 0,
            outMemory.address());
  }

  private static double[] numbers(
      BlasType type, int rows, int width, int stride, SplittableRandom random) {
    double[] numbers = new double[rows * stride];
    for (int i = 0; i < numbers.length; i++) {
      double value = random.nextDouble(-2, 2);
      numbers[i] = i % stride < width ? decode(type, encode(type, value)) : Double.NaN;
    }
    return numbers;
  }

  /** Cut, not rounded: any number of the type will do. */
  private static int encode(BlasType type, double value) {
    return switch (type) {
      case FLOAT32 -> Float.floatToRawIntBits((float) value);
      case BFLOAT16 -> Float.floatToRawIntBits((float) value) >>> 16;
      case FP8_E4M3 -> {
        if (Double.isNaN(value)) {
          yield 0x7f;
        }
        int exponent = Math.clamp(Math.getExponent(value), -6, 8);
        int mantissa = (int) (Math.abs(value) * Math.scalb(8.0, -exponent));
        int code = mantissa < 8 ? mantissa : (exponent + 7) << 3 | mantissa - 8;
        yield value < 0 ? code | 0x80 : code;
      }
    };
  }

  private static double decode(BlasType type, int code) {
    return switch (type) {
      case FLOAT32 -> Float.intBitsToFloat(code);
      case BFLOAT16 -> Float.intBitsToFloat(code << 16);
      case FP8_E4M3 -> {
        int exponent = code >> 3 & 15;
        double size =
            exponent == 0
                ? Math.scalb(1.0 * (code & 7), -9)
                : Math.scalb(8.0 + (code & 7), exponent - 10);
        yield (code & 0x80) == 0 ? size : -size;
      }
    };
  }

  private Memory memory(long bytes) {
    var memory = new Memory(bytes, "a test");
    owned.onClose(memory::close);
    return memory;
  }

  private Memory upload(BlasType type, double[] numbers) {
    var memory = memory((long) type.bytes() * numbers.length);
    memory.upload(host(type, numbers), 0);
    return memory;
  }

  private MemorySegment host(BlasType type, double[] numbers) {
    var host = arena.allocate((long) type.bytes() * numbers.length, 16);
    for (int i = 0; i < numbers.length; i++) {
      int code = encode(type, numbers[i]);
      switch (type) {
        case FLOAT32 -> host.setAtIndex(JAVA_FLOAT, i, Float.intBitsToFloat(code));
        case BFLOAT16 -> host.setAtIndex(JAVA_SHORT, i, (short) code);
        case FP8_E4M3 -> host.setAtIndex(JAVA_BYTE, i, (byte) code);
      }
    }
    return host;
  }

  /** Forgets the result. */
  void clear(long stream) {
    DriverCalls.fill(outMemory.address(), UNTOUCHED, outMemory.bytes(), stream);
  }

  /** Other activations in the place of the old ones. */
  void change(long seed) {
    double[] next =
        numbers(shape.in(), rows, shape.ins(), shape.xStride(), new SplittableRandom(seed));
    System.arraycopy(next, 0, x, 0, x.length);
    xMemory.upload(host(shape.in(), x), 0);
  }

  private double expected(int row, int out) {
    double sum = 0;
    for (int k = 0; k < shape.ins(); k++) {
      sum += x[row * shape.xStride() + k] * weights[out * shape.ins() + k];
    }
    if (shape.scales() != BlasShape.Scales.NONE) {
      boolean perRow = shape.scales() == BlasShape.Scales.ROWS;
      sum *= xScales[perRow ? row : 0] * weightScales[perRow ? out : 0];
    }
    return shape.bias() ? sum + bias[out] : sum;
  }

  /**
   * Requires the result of the rows, within half a step of its type and the error of F32 sums.
   *
   * @param wanted how many rows were computed; those after them must be untouched
   */
  void check(int wanted, long stream) {
    var host = arena.allocate(outMemory.bytes(), 16);
    DriverCalls.download(host, outMemory.address(), outMemory.bytes(), stream);
    DriverCalls.synchronize(stream);
    double step = shape.out() == BlasType.BFLOAT16 ? 1.0 / 256 : 0;
    for (int row = 0; row < rows; row++) {
      for (int out = 0; out < shape.outStride(); out++) {
        long at = (long) row * shape.outStride() + out;
        if (row >= wanted || out >= shape.outs()) {
          assertEquals(UNTOUCHED, host.get(JAVA_BYTE, at * shape.out().bytes()), "a gap");
          continue;
        }
        double expected = expected(row, out);
        double found =
            shape.out() == BlasType.FLOAT32
                ? host.getAtIndex(JAVA_FLOAT, at)
                : decode(shape.out(), host.getAtIndex(JAVA_SHORT, at));
        double error = Math.abs(expected) * step + 2e-6 * shape.ins() * 16;
        assertTrue(
            Math.abs(found - expected) <= error,
            "row %d, output %d: %g instead of %g".formatted(row, out, found, expected));
      }
    }
  }

  @Override
  public void close() {
    owned.close();
    arena.close();
  }
}
