package dev.millrace.testkit;

import dev.millrace.engine.device.Bfloat16;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.LinearActivations;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;

/** Each instruction set that can be tested here; the others are skipped. */
class NativeDeviceTest {
  /** Activations are rounded to BF16 where the weights are no finer, and so are grouped weights. */
  abstract static class Rounding extends DeviceContract {
    private static float rounded(float x) {
      return Bfloat16.toFloat(Bfloat16.of(x));
    }

    private static boolean rounds(DeviceFormat format) {
      return !(format instanceof DeviceFormat.F32
          || format instanceof DeviceFormat.F16
          || format instanceof DeviceFormat.Own);
    }

    @Override
    protected float[] activations(float[] row, QuantizedMatrix matrix) {
      float[] out = row.clone();
      for (int i = 0; i < out.length && rounds(matrix.format()); i++) {
        out[i] = rounded(out[i]);
      }
      return out;
    }

    @Override
    protected float weight(float w, DeviceFormat format) {
      boolean scaledLate =
          switch (format) {
            case DeviceFormat.Int8(int group, boolean zeros, _) -> group == 0 && !zeros;
            case DeviceFormat.Fp8(_, int blockCols) -> blockCols == 0;
            default -> false;
          };
      return rounds(format) && !scaledLate ? rounded(w) : w;
    }
  }

  /** Where weights are INT8 or INT4, activations are bytes with a scale for each 16 columns. */
  abstract static class InBytes extends Rounding {
    private static boolean multipliesBytes(DeviceFormat format) {
      return format instanceof DeviceFormat.Int8 || format instanceof DeviceFormat.Int4;
    }

    @Override
    protected float[] activations(float[] row, QuantizedMatrix matrix) {
      if (!multipliesBytes(matrix.format())) {
        return super.activations(row, matrix);
      }
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
    protected float weight(float w, DeviceFormat format) {
      return multipliesBytes(format) ? w : super.weight(w, format);
    }
  }

  @Nested
  class Avx512Bf16InBytes extends InBytes {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512BF16, LinearActivations.INT8, 1);
    }
  }

  @Nested
  class AmxInBytesOnThreeThreads extends InBytes {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AMX, LinearActivations.INT8, 3);
    }
  }

  @Nested
  class Amx extends Rounding {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AMX, 1);
    }
  }

  @Nested
  class AmxOnThreeThreads extends Rounding {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AMX, 3);
    }
  }

  @Nested
  class Avx512Bf16 extends Rounding {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512BF16, 1);
    }
  }

  @Nested
  class Avx512Bf16OnThreeThreads extends Rounding {
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
