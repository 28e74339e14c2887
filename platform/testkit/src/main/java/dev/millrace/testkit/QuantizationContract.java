package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/**
 * What every quantizer must keep, tried on small random matrices of awkward sizes in each encoding
 * it reads. To test a quantizer, extend this class. A failure names the encoding and the size.
 */
public abstract class QuantizationContract {
  /** The module name of the matrix that is read. */
  protected static final String MATRIX = "model.layers.0.mlp.up_proj";

  private static final int THREADS = 4;

  /** The quantizer. */
  protected abstract QuantizationPlugin plugin();

  /**
   * The weights in every encoding that the quantizer reads, as {@link #MATRIX}.
   *
   * @param weights row-major [rows, cols]
   */
  protected abstract List<Sample> samples(int rows, int cols, float[] weights);

  /**
   * The sizes that are tried, [rows, cols]. To be overridden where an encoding has no others, such
   * as columns in groups.
   */
  protected List<Size> sizes() {
    return List.of(
        new Size(1, 1), new Size(3, 31), new Size(5, 64), new Size(17, 33), new Size(64, 257));
  }

  /** Whether a NaN among the weights must be refused; else it may also come out again as a NaN. */
  protected boolean refusesNotANumber() {
    return false;
  }

  /** The size of a matrix. */
  public record Size(int rows, int cols) {}

  /**
   * A checkpoint that holds the weights.
   *
   * @param encoding names it in messages
   * @param worstError how far a decoded weight may be from the given one, as a part of the largest
   *     magnitude of its row; 0 for an exact encoding
   */
  public record Sample(String encoding, Checkpoint checkpoint, double worstError) {}

  @Test
  void acceptsAndReadsTheMatrix() {
    everySample((sample, weights) -> {
      assertTrue(plugin().accepts(MATRIX, sample.checkpoint()), "is not accepted");
      var matrix = read(sample.checkpoint());
      assertEquals(weights.rows(), matrix.rows(), "rows");
      assertEquals(weights.cols(), matrix.cols(), "columns");
    });
  }

  @Test
  void aMatrixThatIsNotThereIsNotAccepted() {
    everySample(
        (sample, _) -> assertFalse(plugin().accepts("not.there", sample.checkpoint()), "accepted"));
  }

  @Test
  void everyRowIsWithinTheDeclaredError() {
    everySample((sample, weights) -> {
      var matrix = read(sample.checkpoint());
      for (int row = 0; row < weights.rows(); row++) {
        weights.compare(row, row(matrix, row), sample.worstError());
      }
    });
  }

  @Test
  void rowsDecodeInAnyOrder() {
    everySample((sample, weights) -> {
      var matrix = read(sample.checkpoint());
      var rows = rows(matrix);
      for (int row = weights.rows() - 1; row >= 0; row--) {
        assertArrayEquals(rows.get(row), row(matrix, row), "row " + row + ", backwards");
      }
      int last = weights.rows() - 1;
      assertArrayEquals(rows.get(last), row(read(sample.checkpoint()), last), "the last, alone");
    });
  }

  @Test
  void rowsDecodeOnSeveralThreadsAtOnce() {
    everySample((sample, _) -> {
      var matrix = read(sample.checkpoint());
      var expected = rows(matrix);
      for (var rows : onThreads(matrix)) {
        for (int row = 0; row < rows.size(); row++) {
          assertArrayEquals(expected.get(row), rows.get(row), "row " + row);
        }
      }
    });
  }

  @Test
  void aRowWritesItsColumnsAndNothingElse() {
    everySample((sample, weights) -> {
      var matrix = read(sample.checkpoint());
      for (int row = 0; row < weights.rows(); row++) {
        float[] out = new float[weights.cols() + 16];
        Arrays.fill(out, Float.NEGATIVE_INFINITY);
        matrix.decodeRow(row, out);
        for (int i = 0; i < out.length; i++) {
          assertEquals(
              i >= weights.cols(), out[i] == Float.NEGATIVE_INFINITY, "row " + row + ", " + i);
        }
      }
    });
  }

  @Test
  void packedHoldsTheSameAsTheRows() {
    everySample((sample, weights) -> {
      var matrix = read(sample.checkpoint());
      if (matrix.format() instanceof DeviceFormat.Own) {
        return; // only the plugin can read it
      }
      var packed = new PackedRows(matrix);
      assertTrue(packed.length() <= matrix.packed().byteSize(), "packed() is too short");
      for (int row = 0; row < weights.rows(); row++) {
        float[] decoded = row(matrix, row);
        for (int col = 0; col < weights.cols(); col++) {
          assertEquals(decoded[col], packed.element(row, col), "row " + row + ", " + col);
        }
      }
    });
  }

  @Test
  void aKernelGivesWhatTheRowsGive() {
    everySample((sample, _) -> {
      var matrix = read(sample.checkpoint());
      matrix.kernel().ifPresent(kernel -> new KernelCheck(matrix, kernel).run());
    });
  }

  @Test
  void whatTheDeviceCanUseIsNotCopied() {
    everySample((sample, _) -> {
      var matrix = read(sample.checkpoint());
      var name = MATRIX + ".weight";
      if (sample.checkpoint().has(name)) {
        var stored = sample.checkpoint().tensor(name);
        if (isStoredAs(matrix.format(), stored.dtype())) {
          var overlap = matrix.packed().asOverlappingSlice(stored.bytes());
          assertEquals(
              stored.bytes().byteSize(),
              overlap.map(MemorySegment::byteSize).orElse(0L),
              "bytes that are used where they lie");
        }
      }
    });
  }

  @Test
  void bytesThatContradictTheirShapeAreRefusedByName() {
    everySample((sample, _) -> {
      for (var name : tensors(sample)) {
        var tensor = sample.checkpoint().tensor(name);
        refused(name, Lie.shortened(sample.checkpoint(), tensor));
        refused(name, Lie.lengthened(sample.checkpoint(), tensor));
      }
    });
  }

  @Test
  void tensorsThatAreNoMatrixAreRefusedByName() {
    everySample((sample, _) -> {
      for (var name : tensors(sample)) {
        var tensor = sample.checkpoint().tensor(name);
        if (tensor.shape().size() == 2) {
          refused(name, Lie.flattened(sample.checkpoint(), tensor));
        }
      }
    });
  }

  @Test
  void aNotANumberIsRefusedByNameOrKept() {
    everySample((sample, _) -> {
      for (var name : tensors(sample)) {
        var tensor = sample.checkpoint().tensor(name);
        if (Lie.isFloat(tensor.dtype())) {
          var checkpoint = Lie.notANumber(sample.checkpoint(), tensor);
          if (refusesNotANumber()) {
            refused(name, checkpoint);
          } else {
            keptOrRefused(name, checkpoint);
          }
        }
      }
    });
  }

  private void keptOrRefused(String tensor, Checkpoint checkpoint) {
    QuantizedMatrix matrix;
    try {
      matrix = read(checkpoint);
    } catch (InferenceException e) {
      named(tensor, e);
      return;
    }
    for (float[] row : rows(matrix)) {
      for (float weight : row) {
        if (Float.isNaN(weight)) {
          return;
        }
      }
    }
    throw new AssertionError("the NaN in " + tensor + " became a number");
  }

  private void refused(String tensor, Checkpoint checkpoint) {
    named(tensor, assertThrows(InferenceException.class, () -> read(checkpoint), tensor));
  }

  private static void named(String tensor, InferenceException error) {
    assertTrue(error.toString().contains(tensor), () -> error + " does not name " + tensor);
    assertTrue(
        error.code() == ErrorCode.BAD_SHAPE || error.code() == ErrorCode.INVALID_CHECKPOINT,
        () -> error.code() + " instead of BAD_SHAPE or INVALID_CHECKPOINT");
  }

  /** What is checked of one sample. */
  private interface Check {
    void of(Sample sample, RandomWeights weights) throws Exception;
  }

  private void everySample(Check check) {
    for (var size : sizes()) {
      var weights = RandomWeights.of(size.rows(), size.cols());
      for (var sample : samples(size.rows(), size.cols(), weights.values().clone())) {
        try {
          check.of(sample, weights);
        } catch (Exception | AssertionError e) {
          throw new AssertionError(sample.encoding() + ", " + size + ": " + e.getMessage(), e);
        }
      }
    }
  }

  private QuantizedMatrix read(Checkpoint checkpoint) {
    return plugin().read(MATRIX, checkpoint);
  }

  private static List<String> tensors(Sample sample) {
    return sample.checkpoint().names().stream().filter(n -> n.startsWith(MATRIX + ".")).toList();
  }

  private static float[] row(QuantizedMatrix matrix, int row) {
    float[] out = new float[matrix.cols()];
    matrix.decodeRow(row, out);
    return out;
  }

  private static List<float[]> rows(QuantizedMatrix matrix) {
    var rows = new ArrayList<float[]>();
    for (int row = 0; row < matrix.rows(); row++) {
      rows.add(row(matrix, row));
    }
    return rows;
  }

  /** All rows, once by each thread, all beginning at the same time. */
  private static List<List<float[]>> onThreads(QuantizedMatrix matrix) throws Exception {
    var together = new CyclicBarrier(THREADS);
    Callable<List<float[]>> task =
        () -> {
          together.await();
          return rows(matrix);
        };
    var all = new ArrayList<List<float[]>>();
    try (var threads = Executors.newFixedThreadPool(THREADS)) {
      for (var result : threads.invokeAll(Collections.nCopies(THREADS, task))) {
        all.add(result.get());
      }
    }
    return all;
  }

  private static boolean isStoredAs(DeviceFormat format, DType type) {
    return switch (format) {
      case DeviceFormat.F32 _ -> type == DType.F32;
      case DeviceFormat.Bf16 _ -> type == DType.BF16;
      case DeviceFormat.F16 _ -> type == DType.F16;
      case DeviceFormat.Int8 _,
          DeviceFormat.Int4 _,
          DeviceFormat.Code4 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          false;
    };
  }
}
