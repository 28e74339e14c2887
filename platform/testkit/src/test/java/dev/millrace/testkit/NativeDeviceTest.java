package dev.millrace.testkit;

import dev.millrace.engine.device.Bfloat16;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.LinearActivations;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;

/** Each instruction set that can be tested here; the others are skipped. */
class NativeDeviceTest {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** How four-bit codes are kept. */
  enum Codes {
    IN_ROWS,
    /** Products of codes are scaled, not weights, and a table of them is rounded. */
    IN_BANDS
  }

  /** Activations are rounded to BF16 where weights are no finer, and so are weights in groups. */
  abstract static class Rounding extends DeviceContract {
    private final Codes codes;
    private final LinearActivations kind;

    /**
     * What linears make of activations and weights.
     *
     * @param kind INT8: bytes with a scale for each 16 columns, where weights are INT8 or INT4
     */
    Rounding(Codes codes, LinearActivations kind) {
      this.codes = codes;
      this.kind = kind;
    }

    private static float rounded(float x) {
      return Bfloat16.toFloat(Bfloat16.of(x));
    }

    private static boolean rounds(DeviceFormat format) {
      return !(format instanceof DeviceFormat.F32
          || format instanceof DeviceFormat.F16
          || format instanceof DeviceFormat.Own);
    }

    private boolean multipliesBytes(DeviceFormat format) {
      return kind == LinearActivations.INT8
          && (format instanceof DeviceFormat.Int8 || format instanceof DeviceFormat.Int4);
    }

    /** Whether products of a format's numbers are scaled, not the numbers. */
    private boolean scalesLate(DeviceFormat format) {
      return switch (format) {
        case DeviceFormat.Int8(int group, boolean zeros, _) ->
            (group == 0 && !zeros) || multipliesBytes(format);
        case DeviceFormat.Fp8(_, int blockCols) -> blockCols == 0;
        case DeviceFormat.Int4 _ -> codes == Codes.IN_BANDS || multipliesBytes(format);
        case DeviceFormat.Code4 _ -> codes == Codes.IN_BANDS;
        default -> false;
      };
    }

    /** Codes in bands are multiplied as numbers up to 17 times as large, which F32 feels. */
    @Override
    protected double tolerance(DeviceFormat format) {
      boolean large = codes == Codes.IN_BANDS && format instanceof DeviceFormat.Int4;
      return large && !multipliesBytes(format) ? 8e-6 : super.tolerance(format);
    }

    @Override
    protected float[] activations(float[] row, QuantizedMatrix matrix) {
      if (multipliesBytes(matrix.format())) {
        return inBytes(row, matrix);
      }
      float[] out = row.clone();
      for (int i = 0; i < out.length && rounds(matrix.format()); i++) {
        out[i] = rounded(out[i]);
      }
      return out;
    }

    private static float[] inBytes(float[] row, QuantizedMatrix matrix) {
      int[] order = matrix.inputOrder();
      int[] columns = order.length == 0 ? IntStream.range(0, row.length).toArray() : order;
      float[] out = row.clone();
      for (int start = 0; start < columns.length; start += 16) {
        quantise(out, columns, start, Math.min(columns.length, start + 16));
      }
      return out;
    }

    private static void quantise(float[] row, int[] columns, int start, int end) {
      float largest = 0;
      for (int i = start; i < end; i++) {
        largest = Math.max(largest, Math.abs(row[columns[i]]));
      }
      for (int i = start; i < end && largest > 0; i++) {
        int column = columns[i];
        row[column] = (float) Math.rint(row[column] * (127 / largest)) * (largest / 127);
      }
    }

    @Override
    protected float[] weights(QuantizedMatrix matrix, int row) {
      boolean named = matrix.format() instanceof DeviceFormat.Code4 && codes == Codes.IN_BANDS;
      float[] weights = super.weights(named ? withRoundedTable(matrix) : matrix, row);
      boolean rounds = rounds(matrix.format()) && !scalesLate(matrix.format());
      for (int i = 0; i < weights.length && rounds; i++) {
        weights[i] = rounded(weights[i]);
      }
      return weights;
    }

    private static QuantizedMatrix withRoundedTable(QuantizedMatrix matrix) {
      var packed = MemorySegment.ofArray(matrix.packed().toArray(ValueLayout.JAVA_BYTE));
      long table = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols()).behind();
      for (long at = table; at < table + 16 * Float.BYTES; at += Float.BYTES) {
        packed.set(FLOAT, at, rounded(packed.get(FLOAT, at)));
      }
      return new PlainMatrices.Matrix(
          matrix.rows(), matrix.cols(), matrix.format(), packed, matrix.inputOrder());
    }
  }

  @Nested
  class Avx512Bf16InBytes extends Rounding {
    Avx512Bf16InBytes() {
      super(Codes.IN_BANDS, LinearActivations.INT8);
    }

    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512BF16, LinearActivations.INT8, 1);
    }
  }

  @Nested
  class AmxInBytesOnThreeThreads extends Rounding {
    AmxInBytesOnThreeThreads() {
      super(Codes.IN_ROWS, LinearActivations.INT8);
    }

    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AMX, LinearActivations.INT8, 3);
    }
  }

  @Nested
  class Amx extends Rounding {
    Amx() {
      super(Codes.IN_ROWS, LinearActivations.FLOAT);
    }

    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AMX, 1);
    }
  }

  @Nested
  class AmxOnThreeThreads extends Rounding {
    AmxOnThreeThreads() {
      super(Codes.IN_ROWS, LinearActivations.FLOAT);
    }

    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AMX, 3);
    }
  }

  @Nested
  class Avx512Bf16 extends Rounding {
    Avx512Bf16() {
      super(Codes.IN_BANDS, LinearActivations.FLOAT);
    }

    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512BF16, 1);
    }
  }

  @Nested
  class Avx512Bf16OnThreeThreads extends Rounding {
    Avx512Bf16OnThreeThreads() {
      super(Codes.IN_BANDS, LinearActivations.FLOAT);
    }

    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512BF16, 3);
    }
  }

  @Nested
  class Avx512 extends DeviceContract {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512, 1);
    }
  }

  @Nested
  class Avx512OnThreeThreads extends DeviceContract {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512, 3);
    }
  }

  @Nested
  class Avx2 extends DeviceContract {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX2, 2);
    }
  }

  abstract static class NativeAttention extends AttentionContract {
    @Override
    protected int longContext() {
      return 1_100; // three of the kernels' parts
    }
  }

  @Nested
  class Avx512Bf16Attention extends NativeAttention {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512BF16, 2);
    }
  }

  @Nested
  class Avx512Attention extends NativeAttention {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512, 3);
    }
  }

  @Nested
  class Avx512AttentionOnOneThread extends NativeAttention {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512, 1);
    }
  }

  @Nested
  class Avx2Attention extends NativeAttention {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX2, 2);
    }
  }
}
