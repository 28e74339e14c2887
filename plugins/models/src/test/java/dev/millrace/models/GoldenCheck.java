package dev.millrace.models;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.StepDriver;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds a loaded model to the logits and greedy tokens of transformers, on all devices that
 * multiply in F32; {@link RoundedGoldensTest} has the others.
 */
final class GoldenCheck {
  private static final float TOLERANCE = 2e-5f;

  private GoldenCheck() {}

  /** Devices that multiply weights of a type in F32. */
  static List<Device> devices(DType weights) {
    var devices = new ArrayList<Device>(List.of(new ReferenceDevice(2), new VectorDevice(2)));
    NativeLibrary.sets().stream()
        .filter(set -> weights != DType.BF16 || !set.roundsActivations())
        .forEach(set -> devices.add(new NativeDevice(set, 2)));
    return devices;
  }

  static void check(GoldenModel golden, StepDriver driver) {
    golden.check(driver, TOLERANCE);
  }
}
