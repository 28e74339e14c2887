package dev.millrace.testkit;

import dev.millrace.engine.device.Bfloat16;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.spi.quant.DeviceFormat;
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
    protected float activation(float x, DeviceFormat weights) {
      return rounds(weights) ? rounded(x) : x;
    }

    @Override
    protected float weight(float w, DeviceFormat format) {
      boolean scaledLate =
          switch (format) {
            case DeviceFormat.Int8(int group, boolean zeros) -> group == 0 && !zeros;
            case DeviceFormat.Fp8(_, int blockCols) -> blockCols == 0;
            default -> false;
          };
      return rounds(format) && !scaledLate ? rounded(w) : w;
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

  @Nested
  class Avx512Attention extends AttentionContract {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX512, 3);
    }
  }

  @Nested
  class Avx2Attention extends AttentionContract {
    @Override
    protected Device create() {
      return NativeDevices.open(InstructionSet.AVX2, 2);
    }
  }
}
