package dev.millrace.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.StepDriver;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds a loaded model to the logits and greedy tokens of transformers, on all devices there are.
 */
final class GoldenCheck {
  private static final float TOLERANCE = 2e-5f;

  private GoldenCheck() {}

  static List<Device> devices() {
    var devices = new ArrayList<Device>(List.of(new ReferenceDevice(2), new VectorDevice(2)));
    NativeLibrary.sets().forEach(set -> devices.add(new NativeDevice(set, 2)));
    return devices;
  }

  static void check(GoldenModel golden, StepDriver driver) {
    var sequence = driver.sequence(golden.prompt()[0]);
    for (int i = 0; i < golden.prompt().length; i++) {
      float[] logits = driver.finish(sequence);
      assertArrayEquals(golden.logits()[i], logits, TOLERANCE, "logits of position " + i);
      sequence.append(i + 1 < golden.prompt().length ? golden.prompt()[i + 1] : best(logits));
    }
    int[] greedy = new int[golden.greedy().length];
    for (int i = 0; i < greedy.length; i++) {
      greedy[i] = sequence.token(sequence.total() - 1);
      sequence.append(best(driver.finish(sequence)));
    }
    assertArrayEquals(golden.greedy(), greedy);
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
