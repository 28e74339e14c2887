package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.millrace.cuda.BlasShape.Scales;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/**
 * How fast cuBLASLt's products are with the algorithms that were chosen, at the shapes of an 8B
 * Llama, and whether single results agree with F64. Matrices are taken in turn, more of them than
 * fit into the card's cache. On the simulation, toy shapes.
 */
record BlasBench(ArrayNode json, Consumer<String> say, BooleanSupplier inTime) {
  private static final boolean REAL = Boolean.getBoolean("millrace.gpu");
  private static final int[][] SHAPES =
      REAL
          ? new int[][] {
            {6144, 4096}, {4096, 4096}, {28_672, 4096}, {4096, 14_336}, {128_256, 4096}
          }
          : new int[][] {{32, 48}};
  private static final int[] ROWS =
      REAL ? new int[] {1, 16, 32, 64, 128, 256, 512, 2048} : new int[] {1, 5};

  /** More than any card's cache. */
  private static final long COLD_BYTES = REAL ? 256 << 20 : 1 << 14;

  private static final int BLOCK_BYTES = REAL ? 64 << 20 : 1 << 13;
  private static final double SECONDS = REAL ? 0.04 : 0.001;
  private static final int MOST_LAUNCHES = 200;
  private static final int CHECKED = 8;

  void run() throws Unavailable, IOException {
    if (!REAL) {
      SimulatedBlas.use();
    }
    var folder = Files.createTempDirectory("blas-bench");
    try (var gpu = new Gpu(DriverLibrary.open())) {
      gpu.enter();
      var library = BlasLibrary.open(REAL ? BlasSearch.here() : SimulatedBlas.search());
      var stream = new Handles.Stream();
      CudaResult.check(JCudaDriver.cuStreamCreate(stream, 1), "cuStreamCreate");
      try (var products = BlasProducts.open(library, gpu.name(), folder);
          var operands = new Operands(stream.value())) {
        say.accept(products.name());
        measure(products, operands, stream);
      } finally {
        JCudaDriver.cuStreamDestroy(stream);
      }
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (var file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  private void measure(BlasProducts products, Operands operands, Handles.Stream stream) {
    for (int[] shape : SHAPES) {
      boolean logits = shape[0] > 100_000;
      measure(
          products,
          new BlasShape(
              BlasType.BFLOAT16,
              logits ? BlasType.FLOAT32 : BlasType.BFLOAT16,
              Scales.NONE,
              false,
              shape[0],
              shape[1],
              shape[1],
              shape[0]),
          operands,
          stream);
    }
    for (var scales : List.of(Scales.ONE, Scales.ROWS)) {
      int outs = SHAPES[0][0];
      int ins = SHAPES[0][1];
      measure(
          products,
          new BlasShape(BlasType.FP8_E4M3, BlasType.BFLOAT16, scales, false, outs, ins, ins, outs),
          operands,
          stream);
    }
  }

  private void measure(
      BlasProducts products, BlasShape shape, Operands operands, Handles.Stream stream) {
    if (!inTime.getAsBoolean()) {
      return;
    }
    var found = products.linear(shape);
    if (found.isEmpty()) {
      say.accept("products: none of " + shape.key());
      json.addObject().put("shape", shape.key()).put("there", false);
      return;
    }
    var linear = found.get();
    long[] weights = operands.weights(shape);
    long began = System.nanoTime();
    products.prepare(
        List.of(new BlasProducts.Use(linear, weights, ROWS[ROWS.length - 1])), ROWS, stream);
    say.accept(
        "products %s: chosen in %.2f s".formatted(shape.key(), (System.nanoTime() - began) / 1e9));
    for (int rows : ROWS) {
      time(linear, rows, weights, operands, stream);
    }
    operands.check(linear, ROWS[ROWS.length - 1], weights[0], stream.value());
  }

  private void time(
      BlasLinear linear, int rows, long[] weights, Operands operands, Handles.Stream stream) {
    var start = new CUevent();
    var end = new CUevent();
    CudaResult.check(JCudaDriver.cuEventCreate(start, 0), "cuEventCreate");
    CudaResult.check(JCudaDriver.cuEventCreate(end, 0), "cuEventCreate");
    double seconds = launch(linear, 4, rows, weights, operands, stream, start, end)[0];
    int launches = (int) Math.clamp(SECONDS / seconds, 4, MOST_LAUNCHES);
    double[] took = launch(linear, launches, rows, weights, operands, stream, start, end);
    JCudaDriver.cuEventDestroy(start);
    JCudaDriver.cuEventDestroy(end);
    var shape = linear.shape();
    double micros = took[0] * 1e6;
    double teraflops = 2.0 * rows * shape.outs() * shape.ins() / took[0] / 1e12;
    double gigabytes = (double) shape.in().bytes() * shape.outs() * shape.ins() / took[0] / 1e9;
    json.addObject()
        .put("shape", shape.key())
        .put("rows", rows)
        .put("us", micros)
        .put("host us", took[1] * 1e6)
        .put("TFLOP/s", teraflops)
        .put("weights GB/s", gigabytes);
    say.accept(
        "  %5d rows: %8.1f us, %6.1f TFLOP/s, weights %6.0f GB/s, host %.1f us"
            .formatted(rows, micros, teraflops, gigabytes, took[1] * 1e6));
  }

  /** Seconds of one launch on the card, and of its call. */
  private static double[] launch(
      BlasLinear linear,
      int launches,
      int rows,
      long[] weights,
      Operands operands,
      Handles.Stream stream,
      CUevent start,
      CUevent end) {
    CudaResult.check(JCudaDriver.cuEventRecord(start, stream), "cuEventRecord");
    long began = System.nanoTime();
    for (int i = 0; i < launches; i++) {
      linear.multiply(operands.of(weights[i % weights.length]), rows, stream.value());
    }
    double host = (System.nanoTime() - began) / 1e9;
    CudaResult.check(JCudaDriver.cuEventRecord(end, stream), "cuEventRecord");
    DriverCalls.synchronize(stream.value());
    float[] milliseconds = new float[1];
    CudaResult.check(
        JCudaDriver.cuEventElapsedTime(milliseconds, start, end), "cuEventElapsedTime");
    return new double[] {milliseconds[0] / 1e3 / launches, host / launches};
  }

  /** Device memory of ordinary BF16 numbers, every byte of which is an FP8 number too. */
  private static final class Operands implements AutoCloseable {
    private static final int MOST_ROWS = ROWS[ROWS.length - 1];
    private static final float SCALE = 0.5f;

    private final Owned owned = new Owned();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment block;
    private final Memory weights;
    private final Memory x;
    private final Memory out;
    private final Memory scales;

    Operands(long stream) {
      owned.onClose(arena::close);
      block = arena.allocate(BLOCK_BYTES, 16);
      var random = new SplittableRandom(1);
      for (long at = 0; at < BLOCK_BYTES; at += 2) {
        int bits = random.nextInt();
        block.set(JAVA_BYTE, at, (byte) (bits & 0xfe)); // no NaN of FP8
        block.set(JAVA_BYTE, at + 1, (byte) (0x3c | bits >> 8 & 0x82));
      }
      long most = 0;
      long mostOut = 0;
      long mostX = 0;
      for (int[] shape : SHAPES) {
        most = Math.max(most, 2L * shape[0] * shape[1]);
        mostOut = Math.max(mostOut, 4L * MOST_ROWS * shape[0]);
        mostX = Math.max(mostX, 2L * MOST_ROWS * shape[1]);
      }
      weights = filled(Math.max(most, 2 * COLD_BYTES));
      x = filled(mostX);
      out = memory(mostOut);
      scales = memory((long) Float.BYTES * Math.max(MOST_ROWS, SHAPES[0][0]));
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
      long count = Math.max(1, Math.min(weights.bytes(), COLD_BYTES + bytes) / bytes);
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
          exponent == 0 ? Math.scalb(code & 7, -9) : Math.scalb(8 + (code & 7), exponent - 10);
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
}
