package dev.millrace.testkit;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.VectorDevice;
import org.junit.jupiter.api.Nested;

class VectorDeviceTest {
  @Nested
  class OneThread extends DeviceContract {
    @Override
    protected Device create() {
      return new VectorDevice(1);
    }
  }

  @Nested
  class ThreeThreads extends DeviceContract {
    @Override
    protected Device create() {
      return new VectorDevice(3);
    }
  }

  @Nested
  class AttentionOnThreeThreads extends AttentionContract {
    @Override
    protected Device create() {
      return new VectorDevice(3);
    }
  }
}
