package dev.millrace.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/**
 * Times algorithms on the card, with real weights and made-up activations. Entered threads only,
 * and no capture meanwhile.
 */
final class BlasTuning implements Owned.Closing {
  private static final int ROUNDS = 3;
  private static final int LAUNCHES = 4;

  /** How much slower than the best an algorithm may be in a round to take part in the next. */
  private static final float HOPELESS = 1.5f;

  /** Every byte of the activations: BF16 and FP8 numbers of ordinary size. */
  private static final byte CONTENT = 0x3c;

  private final Owned owned = new Owned();
  private final Handles.Stream stream;
  private final Memory x;
  private final Memory out;
  private final Memory vectors;
  private final CUevent start = new CUevent();
  private final CUevent end = new CUevent();
  private int launched;

  /**
   * Takes scratch memory.
   *
   * @param most bytes that any product will need
   */
  BlasTuning(Bytes most, Handles.Stream stream) {
    this.stream = stream;
    try {
      this.x = memory(most.x());
      this.out = memory(most.out());
      this.vectors = memory(most.vectors());
      event(start);
      event(end);
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  /** Sizes of scratch memory: for x, for the result, for a bias and for scales. */
  record Bytes(long x, long out, long vectors) {
    static Bytes of(BlasShape shape, int rows) {
      return new Bytes(
          shape.xBytes(rows),
          shape.outBytes(rows),
          (long) Float.BYTES * Math.max(shape.outs(), rows));
    }

    Bytes max(Bytes other) {
      return new Bytes(
          Math.max(x, other.x), Math.max(out, other.out), Math.max(vectors, other.vectors));
    }

    long sum() {
      return x + out + vectors;
    }
  }

  private Memory memory(long bytes) {
    var taken = new Memory(bytes, "measurements of matrix products");
    owned.onClose(taken::close);
    DriverCalls.fill(taken.address(), CONTENT, bytes, stream.value());
    return taken;
  }

  private void event(CUevent event) {
    CudaResult.check(JCudaDriver.cuEventCreate(event, 0), "cuEventCreate");
    owned.onClose(() -> JCudaDriver.cuEventDestroy(event));
  }

  /** An algorithm and its least time. */
  private static final class Timed {
    final MemorySegment algorithm;
    float milliseconds = Float.MAX_VALUE;

    Timed(MemorySegment algorithm) {
      this.algorithm = algorithm;
    }

    float milliseconds() {
      return milliseconds;
    }
  }

  /**
   * The given algorithms but those that refuse, the fastest first.
   *
   * @param weights addresses of matrices of the shape, taken in turn so that none stays in the
   *     card's cache if there are many
   */
  List<MemorySegment> fastest(BlasLinear linear, BlasAlgorithms given, int rows, long[] weights) {
    var running = new ArrayList<Timed>();
    for (var algorithm : given.all()) {
      if (launch(linear, algorithm, rows, weights) == BlasStatus.SUCCESS) {
        running.add(new Timed(algorithm));
      }
    }
    var all = List.copyOf(running);
    for (int round = 0; round < ROUNDS; round++) {
      for (var each : running) {
        each.milliseconds =
            Math.min(each.milliseconds, time(linear, each.algorithm, rows, weights));
      }
      float best = running.stream().map(Timed::milliseconds).min(Float::compare).orElse(0f);
      running.removeIf(each -> each.milliseconds > HOPELESS * best);
    }
    return all.stream()
        .sorted(Comparator.comparingDouble(Timed::milliseconds))
        .map(each -> each.algorithm)
        .toList();
  }

  /** Runs a product once, so that its kernels are loaded before a capture. */
  void warm(BlasLinear linear, MemorySegment algorithm, int rows, long[] weights) {
    BlasStatus.check(launch(linear, algorithm, rows, weights), "cublasLtMatmul");
    DriverCalls.synchronize(stream.value());
  }

  private int launch(BlasLinear linear, MemorySegment algorithm, int rows, long[] weights) {
    var operands =
        new BlasLinear.Operands(
            x.address(),
            vectors.address(),
            weights[launched++ % weights.length],
            vectors.address(),
            vectors.address(),
            out.address());
    return linear.multiply(algorithm, operands, rows, stream.value());
  }

  private float time(BlasLinear linear, MemorySegment algorithm, int rows, long[] weights) {
    CudaResult.check(JCudaDriver.cuEventRecord(start, stream), "cuEventRecord");
    for (int i = 0; i < LAUNCHES; i++) {
      BlasStatus.check(launch(linear, algorithm, rows, weights), "cublasLtMatmul");
    }
    CudaResult.check(JCudaDriver.cuEventRecord(end, stream), "cuEventRecord");
    DriverCalls.synchronize(stream.value());
    float[] milliseconds = new float[1];
    CudaResult.check(
        JCudaDriver.cuEventElapsedTime(milliseconds, start, end), "cuEventElapsedTime");
    return milliseconds[0];
  }

  @Override
  public void close() {
    owned.close();
  }
}
