package dev.millrace.testkit;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizationContractTest {
  @Test
  void plainFloatsKeepTheContract() throws Exception {
    plain(new PlainMatrices()).passes();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 16, 32})
  void bytesWithScalesKeepTheContract(int group) throws Exception {
    verdict(new RowBytes(group), 0.51 / 127, DType.F32).passes();
  }

  @Test
  void anErrorBeyondTheDeclaredOneIsCaught() throws Exception {
    verdict(new RowBytes(0), 0.4 / 127, DType.F32)
        .failsOnly("everyRowIsWithinTheDeclaredError", "the worst error");
  }

  @Test
  void copyingTheMappingIsCaught() throws Exception {
    var copying =
        new PlainMatrices() {
          @Override
          public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
            var m = super.read(matrix, checkpoint);
            var copy = Arena.ofAuto().allocate(m.packed().byteSize()).copyFrom(m.packed());
            return new Matrix(m.rows(), m.cols(), m.format(), copy);
          }
        };
    plain(copying).failsOnly("whatTheDeviceCanUseIsNotCopied", "F32");
  }

  @Test
  void writingBeyondTheRowIsCaught() throws Exception {
    plain(decoding((matrix, _, out) -> Arrays.fill(out, matrix.cols(), out.length, 0)))
        .failsOnly("aRowWritesItsColumnsAndNothingElse", "row 0, 1");
  }

  @Test
  void rowsThatDependOnTheOneBeforeAreCaught() throws Exception {
    int[] last = {0};
    var inOrder =
        decoding((_, row, out) -> {
          out[0] += row < last[0] ? 1 : 0;
          last[0] = row;
        });
    plain(inOrder).fails("rowsDecodeInAnyOrder", "backwards");
  }

  @Test
  void decodingOnOneThreadOnlyIsCaught() throws Exception {
    var owner = Thread.currentThread();
    plain(decoding((_, _, out) -> out[0] = Thread.currentThread() == owner ? out[0] : 1))
        .failsOnly("rowsDecodeOnSeveralThreadsAtOnce", "row ");
  }

  @Test
  void aPackedFormThatDiffersFromTheRowsIsCaught() throws Exception {
    var swapped =
        new RowBytes(0) {
          @Override
          QuantizedMatrix matrix(int rows, int cols, DeviceFormat format, byte[] bytes) {
            var good = super.matrix(rows, cols, format, bytes.clone());
            bytes[bytes.length - 1] ^= 1; // a scale
            return new Decoding(super.matrix(rows, cols, format, bytes), good::decodeRow);
          }
        };
    verdict(swapped, 0.51 / 127, DType.F32).failsOnly("packedHoldsTheSameAsTheRows", "row ");
  }

  @Test
  void believingEveryShapeIsCaught() throws Exception {
    var believing =
        new PlainMatrices() {
          @Override
          void check(CheckpointTensor tensor) {}
        };
    var verdict = plain(believing);
    verdict.fails("bytesThatContradictTheirShapeAreRefusedByName", "model.layers.0");
    verdict.fails("tensorsThatAreNoMatrixAreRefusedByName", "model.layers.0");
  }

  @Test
  void turningANotANumberIntoANumberIsCaught() throws Exception {
    var careless =
        new RowBytes(0) {
          @Override
          float scale(float[] weights, int from, int to) {
            float largest = 0;
            for (int i = from; i < to; i++) {
              largest = weights[i] > largest ? weights[i] : largest;
              largest = -weights[i] > largest ? -weights[i] : largest;
            }
            return largest / 127;
          }
        };
    verdict(careless, 0.51 / 127, DType.F32)
        .failsOnly("aNotANumberIsRefusedByNameOrKept", "became a number");
  }

  @Test
  void acceptingEverythingIsCaught() throws Exception {
    var accepting =
        new PlainMatrices() {
          @Override
          public boolean accepts(String matrix, Checkpoint checkpoint) {
            return true;
          }
        };
    plain(accepting).failsOnly("aMatrixThatIsNotThereIsNotAccepted", "accepted");
  }

  private interface RowDecoder {
    void decode(int row, float[] out);
  }

  private record Decoding(QuantizedMatrix matrix, RowDecoder decoder) implements QuantizedMatrix {
    @Override
    public int rows() {
      return matrix.rows();
    }

    @Override
    public int cols() {
      return matrix.cols();
    }

    @Override
    public DeviceFormat format() {
      return matrix.format();
    }

    @Override
    public MemorySegment packed() {
      return matrix.packed();
    }

    @Override
    public void decodeRow(int row, float[] out) {
      decoder.decode(row, out);
    }
  }

  private interface Flaw {
    void apply(QuantizedMatrix matrix, int row, float[] out);
  }

  /** Plain floats with something done to every decoded row. */
  private static QuantizationPlugin decoding(Flaw flaw) {
    return new PlainMatrices() {
      @Override
      public QuantizedMatrix read(String name, Checkpoint checkpoint) {
        var matrix = super.read(name, checkpoint);
        return new Decoding(
            matrix,
            (row, out) -> {
              matrix.decodeRow(row, out);
              flaw.apply(matrix, row, out);
            });
      }
    };
  }

  private static Verdict plain(QuantizationPlugin plugin) throws IllegalAccessException {
    return verdict(plugin, 0x1p-8, DType.F32, DType.BF16, DType.F16);
  }

  private static Verdict verdict(QuantizationPlugin plugin, double worstError, DType... types)
      throws IllegalAccessException {
    return Verdict.of(
        new QuantizationContract() {
          @Override
          protected QuantizationPlugin plugin() {
            return plugin;
          }

          @Override
          protected List<Sample> samples(int rows, int cols, float[] weights) {
            return Stream.of(types)
                .map(type -> {
                  var shape = List.of(rows, cols);
                  var checkpoint =
                      new MemoryCheckpoint().floats(MATRIX + ".weight", type, shape, weights);
                  double error = type == DType.F32 && types.length > 1 ? 0 : worstError;
                  return new Sample(type.name(), checkpoint, error);
                })
                .toList();
          }
        });
  }
}
