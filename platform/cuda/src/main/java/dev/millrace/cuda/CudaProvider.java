package dev.millrace.cuda;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceProvider;
import dev.millrace.engine.device.DeviceSettings;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/** Opens the first GPU that the driver shows; {@code CUDA_VISIBLE_DEVICES} says which that is. */
public final class CudaProvider implements DeviceProvider {
  @Override
  public String name() {
    return "cuda";
  }

  private static final int LOGITS_BYTES = 256 << 20;

  @Override
  public Device open(DeviceSettings settings) {
    return open(
        new CudaSettings(settings.memoryUtilization(), settings.batchInvariant(), LOGITS_BYTES));
  }

  /** As {@link #open(DeviceSettings)}, with every setting. */
  static Device open(CudaSettings settings) {
    try {
      int driver = DriverLibrary.open();
      var gpu = new Gpu(driver);
      try {
        gpu.enter();
        return new CudaDevice(gpu, new KernelModules(gpu), settings);
      } catch (Unavailable | RuntimeException | Error e) {
        gpu.close();
        throw e;
      }
    } catch (Unavailable e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, "device cuda: " + e.getMessage(), e);
    }
  }
}
