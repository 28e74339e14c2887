package dev.millrace.cuda;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.millrace.cuda.BlasShape.Scales;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/**
 * How fast cuBLASLt's products are with the algorithms that were chosen, at the shapes of an 8B
 * Llama, and whether single results agree with F64. Matrices are taken in turn, more of them than
 * fit into the card's cache. On the simulation, toy shapes.
 */
record BlasBench(ArrayNode json, Consumer<String> say, BooleanSupplier inTime) {
  static final boolean REAL = Boolean.getBoolean("millrace.gpu");
  static final int[][] SHAPES =
      REAL
          ? new int[][] {
            {6144, 4096}, {4096, 4096}, {28_672, 4096}, {4096, 14_336}, {128_256, 4096}
          }
          : new int[][] {{32, 48}};
  static final int[] ROWS =
      REAL ? new int[] {1, 16, 32, 64, 128, 256, 512, 2048} : new int[] {1, 5};

  /** More than any card's cache. */
  static final long COLD_BYTES = REAL ? 256 << 20 : 1 << 14;

  private static final double SECONDS = REAL ? 0.04 : 0.001;
  private static final int MOST_LAUNCHES = 200;

  /** When no further shape is begun. */
  private static final long BUDGET_NANOS = 18_000_000_000L;

  void run() throws Unavailable, IOException {
    if (!REAL) {
      SimulatedBlas.use();
    }
    long end = System.nanoTime() + BUDGET_NANOS;
    var folder = Files.createTempDirectory("blas-bench");
    try (var gpu = new Gpu(DriverLibrary.open())) {
      gpu.enter();
      var library = BlasLibrary.open(REAL ? BlasSearch.here() : SimulatedBlas.search());
      var stream = new Handles.Stream();
      CudaResult.check(JCudaDriver.cuStreamCreate(stream, 1), "cuStreamCreate");
      try (var products = BlasProducts.open(library, gpu.name(), folder);
          var operands = new BlasBenchOperands(stream.value())) {
        say.accept(products.name());
        new BlasBench(json, say, () -> inTime.getAsBoolean() && System.nanoTime() < end)
            .measure(products, operands, stream);
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

  private void measure(BlasProducts products, BlasBenchOperands operands, Handles.Stream stream) {
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
      BlasProducts products, BlasShape shape, BlasBenchOperands operands, Handles.Stream stream) {
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
      BlasLinear linear,
      int rows,
      long[] weights,
      BlasBenchOperands operands,
      Handles.Stream stream) {
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
      BlasBenchOperands operands,
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
}
