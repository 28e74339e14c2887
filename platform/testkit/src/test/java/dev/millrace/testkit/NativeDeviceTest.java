package dev.millrace.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.NativeLibrary;
import org.junit.jupiter.api.Nested;

/** Each instruction set that this machine has; the others are skipped. */
class NativeDeviceTest {
  private static Device device(InstructionSet set, int threads) {
    assumeTrue(NativeLibrary.sets().contains(set), NativeLibrary.lack());
    return new NativeDevice(set, threads);
  }

  @Nested
  class Avx512 extends DeviceContract {
    @Override
    protected Device create() {
      return device(InstructionSet.AVX512, 1);
    }
  }

  @Nested
  class Avx512OnThreeThreads extends DeviceContract {
    @Override
    protected Device create() {
      return device(InstructionSet.AVX512, 3);
    }
  }

  @Nested
  class Avx2 extends DeviceContract {
    @Override
    protected Device create() {
      return device(InstructionSet.AVX2, 2);
    }
  }

  @Nested
  class Avx512Attention extends AttentionContract {
    @Override
    protected Device create() {
      return device(InstructionSet.AVX512, 3);
    }
  }

  @Nested
  class Avx2Attention extends AttentionContract {
    @Override
    protected Device create() {
      return device(InstructionSet.AVX2, 2);
    }
  }
}
