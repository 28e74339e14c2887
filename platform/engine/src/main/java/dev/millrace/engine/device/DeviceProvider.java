package dev.millrace.engine.device;

import dev.millrace.spi.InferenceException;

/**
 * A kind of device besides the CPU, found with {@link java.util.ServiceLoader} on the host's class
 * path. Used by the loading thread.
 */
public interface DeviceProvider {
  /** What {@code --device} calls it. */
  String name();

  /**
   * Opens the device.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if it cannot be used here; the message
   *     says what would help
   */
  Device open(DeviceSettings settings);
}
