package dev.millrace.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.LinearActivations;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The CPU with the native kernels of each instruction set that can be tested here: those of the
 * machine, and AMX, whose tiles are emulated where the machine has none.
 */
public final class NativeDevices {
  private static final Path EMULATED =
      Path.of(
          System.getProperty("millrace.root", "../.."),
          "kernels/target/emulated-cpu/libmillrace_cpu.so");

  private NativeDevices() {}

  private static final class Emulated {
    static final NativeLibrary LIBRARY = NativeLibrary.open(EMULATED.toAbsolutePath());
  }

  /** The sets that {@link #open} has a device for, fastest first. */
  public static List<InstructionSet> sets() {
    return Arrays.stream(InstructionSet.values()).filter(NativeDevices::has).toList();
  }

  private static boolean has(InstructionSet set) {
    return NativeLibrary.sets().contains(set) || emulates(set);
  }

  private static boolean emulates(InstructionSet set) {
    return set == InstructionSet.AMX && Files.exists(EMULATED) && Emulated.LIBRARY.has(set);
  }

  /**
   * Opens a device; the test is skipped where there is none of that set.
   *
   * @param threads at least 1
   */
  public static NativeDevice open(InstructionSet set, int threads) {
    return open(set, LinearActivations.FLOAT, threads);
  }

  /**
   * Opens a device; the test is skipped where there is none of that set, or none that multiplies
   * bytes though they are asked for.
   *
   * @param threads at least 1
   */
  public static NativeDevice open(InstructionSet set, LinearActivations activations, int threads) {
    boolean own = NativeLibrary.sets().contains(set);
    assumeTrue(own || emulates(set), () -> "no kernels for " + set + ": " + NativeLibrary.lack());
    var library = own ? NativeLibrary.get() : Emulated.LIBRARY;
    assumeTrue(
        activations == LinearActivations.FLOAT || library.multipliesBytes(),
        "no products of bytes: they need AVX-512 VNNI");
    return new NativeDevice(library, set, activations, threads);
  }
}
