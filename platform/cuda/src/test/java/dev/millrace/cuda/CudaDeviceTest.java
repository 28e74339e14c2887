package dev.millrace.cuda;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.testkit.AttentionContract;
import dev.millrace.testkit.DeviceContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contracts of devices, with the kernels of this project on the simulated driver. */
@Tag("emulated") // a minute of processor time
class CudaDeviceTest {
  @Nested
  class Operations extends DeviceContract {
    @Override
    protected Device create() {
      return SimulatedDriver.device();
    }

    /** With which activations are F32. */
    @Override
    protected KvLayout layout(Device device, int blocks, int blockSize) {
      return new KvLayout(blocks, blockSize, KvDtype.FLOAT32);
    }

    @Override
    protected int wideVocabulary() {
      return 64;
    }
  }

  @Nested
  class PagedAttention extends AttentionContract {
    @Override
    protected Device create() {
      return SimulatedDriver.device();
    }
  }

  @AfterEach
  void everythingWasGivenBack() {
    SimulatedDriver.requireEmpty();
  }
}
