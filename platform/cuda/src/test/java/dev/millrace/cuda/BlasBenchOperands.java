package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.cuda.BlasShape.Scales;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/** Device memory of ordinary BF16 numbers, every byte of which is an FP8 number too. */
final class BlasBenchOperands implements AutoCloseable {
  private static final int MOST_ROWS = BlasBench.ROWS[BlasBench.ROWS.length - 1];
  private static final int BLOCK_BYTES = BlasBench.REAL ? 64 << 20 : 1 << 13;
  private static final int CHECKED = 8;
  private static final float SCALE = 0.5f;

  private final Owned owned = new Owned();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment block;
  private final Memory weights;
  private final Memory x;
  private final Memory out;
  private final Memory scales;

  BlasBenchOperands(long stream) {
    owned.onClose(arena::close);
    block = arena.allocate(BLOCK_BYTES, 16);
    var random = new SplittableRandom(1);
    for (long at = 0; at < BLOCK_BYTES; at += 2) {
      int bits = random.nextInt();
      block.set(JAVA_BYTE, at, (byte) (bits & 0xfe)); // no NaN of FP8
      block.set(JAVA_BYTE, at + 1, (byte) (0x3c | ((bits >> 8) & 0x82)));
    }
    long most = 0;
    long mostOut = 0;
    long mostX = 0;
    for (int[] shape : BlasBench.SHAPES) {
      most = Math.max(most, 2L * shape[0] * shape[1]);
      mostOut = Math.max(mostOut, 4L * MOST_ROWS * shape[0]);
      mostX = Math.max(mostX, 2L * MOST_ROWS * shape[1]);
    }
    weights = filled(Math.max(most, 2 * BlasBench.COLD_BYTES));
    x = filled(mostX);
    out = memory(mostOut);
    scales = memory((long) Float.BYTES * Math.max(MOST_ROWS, BlasBench.SHAPES[0][0]));
    var halves = arena.allocate(scales.bytes(), 16);
    for (long at = 0; at < halves.byteSize(); at += Float.BYTES) {
      halves.set(JAVA_FLOAT, at, SCALE);
    }
    scales.upload(halves, 0);
    DriverCalls.synchronize(stream);
  }

  private Memory memory(long bytes) {
    var taken = new Memory(bytes, "a measurement");
    owned.onClose(taken::close);
    return taken;
  }

  private Memory filled(long bytes) {
    var taken = memory(bytes);
    for (long at = 0; at < bytes; at += BLOCK_BYTES) {
      taken.upload(block.asSlice(0, Math.min(BLOCK_BYTES, bytes - at)), at);
    }
    return taken;
  }

  /** Addresses of matrices side by side that fill the cache twice over, or of one. */
  long[] weights(BlasShape shape) {
    long bytes = (long) shape.in().bytes() * shape.outs() * shape.ins();
    long count = Math.max(1, Math.min(weights.bytes(), BlasBench.COLD_BYTES + bytes) / bytes);
    return LongStream.range(0, count).map(i -> weights.address() + i * bytes).toArray();
  }

  BlasLinear.Operands of(long matrix) {
    return new BlasLinear.Operands(
        x.address(), scales.address(), matrix, scales.address(), 0, out.address());
  }

  private double number(BlasType type, long at) {
    long from = at * type.bytes() % BLOCK_BYTES;
    if (type == BlasType.BFLOAT16) {
      return Float.intBitsToFloat(block.get(JAVA_SHORT, from) << 16);
    }
    int code = block.get(JAVA_BYTE, from);
    int exponent = code >> 3 & 15;
    double size =
        exponent == 0
            ? Math.scalb(1.0 * (code & 7), -9)
            : Math.scalb(8.0 + (code & 7), exponent - 10);
    return code < 0 ? -size : size;
  }

  /** Computes some rows with the first matrix and compares a few of the results. */
  void check(BlasLinear linear, int rows, long matrix, long stream) {
    linear.multiply(of(matrix), rows, stream);
    var shape = linear.shape();
    var random = new SplittableRandom(2);
    var host = arena.allocate(Float.BYTES, Float.BYTES);
    for (int i = 0; i < CHECKED; i++) {
      long row = random.nextInt(rows);
      long output = random.nextInt(shape.outs());
      double sum = 0;
      double size = 0;
      for (int k = 0; k < shape.ins(); k++) {
        double term =
            number(shape.in(), row * shape.ins() + k)
                * number(shape.in(), output * shape.ins() + k);
        sum += term;
        size += term * term;
      }
      double factor = shape.scales() == Scales.NONE ? 1 : SCALE * SCALE;
      long at = out.address() + shape.out().bytes() * (row * shape.outs() + output);
      DriverCalls.download(host, at, shape.out().bytes(), stream);
      DriverCalls.synchronize(stream);
      double found =
          shape.out() == BlasType.FLOAT32
              ? host.get(JAVA_FLOAT, 0)
              : Float.intBitsToFloat(host.get(JAVA_SHORT, 0) << 16);
      // half a step of the result, and what sums lose
      double error = Math.abs(factor * sum) / 256 + 2e-3 * factor * Math.sqrt(size);
      if (!(Math.abs(found - factor * sum) <= error)) {
        throw new AssertionError(
            "%s, row %d, output %d: %g instead of %g"
                .formatted(shape.key(), row, output, found, factor * sum));
      }
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
