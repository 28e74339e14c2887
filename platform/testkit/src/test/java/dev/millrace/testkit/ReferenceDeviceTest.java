package dev.millrace.testkit;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import org.junit.jupiter.api.Nested;

class ReferenceDeviceTest {
  @Nested
  class OneThread extends DeviceContract {
    @Override
    protected Device create() {
      return new ReferenceDevice(1);
    }
  }

  @Nested
  class ThreeThreads extends DeviceContract {
    @Override
    protected Device create() {
      return new ReferenceDevice(3);
    }
  }

  @Nested
  class AttentionOnThreeThreads extends AttentionContract {
    @Override
    protected Device create() {
      return new ReferenceDevice(3);
    }
  }
}
