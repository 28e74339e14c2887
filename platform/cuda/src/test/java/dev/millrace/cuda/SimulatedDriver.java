package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.engine.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jcuda.driver.JCudaDriver;

/**
 * The simulated driver of {@code kernels/cuda/simulator}, in place of NVIDIA's. Once it is loaded,
 * the loader finds it by the name that JCuda's library asks for.
 */
@SuppressWarnings("restricted")
final class SimulatedDriver {
  private static final Path FOLDER =
      Path.of(System.getProperty("millrace.root", "../.."), "kernels/target");
  static final Path LIBRARY = FOLDER.resolve("simulator/libcuda.so.1").toAbsolutePath();
  static final Path KERNELS = FOLDER.resolve("emulated/libmillrace_cuda_emulated.so");

  /** Whether the tests are to run on NVIDIA's driver. */
  private static final boolean REAL = Boolean.getBoolean("millrace.gpu");

  /** Little, so that a test of many logits is quick. */
  private static final int LOGITS_BYTES = 64 << 10;

  private static final class Calls {
    static final MethodHandle SET;
    static final MethodHandle COUNT;
    static final MethodHandle RESET;

    static {
      System.load(LIBRARY.toString());
      var linker = Linker.nativeLinker();
      var library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
      SET =
          linker.downcallHandle(
              library.findOrThrow("millrace_sim_set"), FunctionDescriptor.of(JAVA_INT, ADDRESS));
      COUNT =
          linker.downcallHandle(
              library.findOrThrow("millrace_sim_count"), FunctionDescriptor.of(JAVA_LONG, ADDRESS));
      RESET =
          linker.downcallHandle(
              library.findOrThrow("millrace_sim_reset"), FunctionDescriptor.ofVoid());
    }
  }

  private SimulatedDriver() {}

  /** Loads it, whole and with its defaults, or skips the test where it could not be built. */
  static void use() {
    assumeTrue(Files.exists(LIBRARY), "no simulated driver: there is no C++ compiler here");
    try {
      Calls.RESET.invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    JCudaDriver.setExceptionsEnabled(false);
  }

  /** The card of this machine, where a test is to run on that; else a device on the simulation. */
  static Device device() {
    return device(true);
  }

  /** The same, as fast as it goes unless a row's bits are to depend on nothing else. */
  static Device device(boolean batchInvariant) {
    return device(batchInvariant, LOGITS_BYTES);
  }

  /** The same, with so much memory for logits. */
  static Device device(boolean batchInvariant, int logitsBytes) {
    var settings = new CudaSettings(0.9, batchInvariant, logitsBytes);
    if (REAL) {
      return CudaProvider.open(settings);
    }
    use();
    assumeTrue(Files.exists(KERNELS), "no emulated kernels: there is no C++ compiler here");
    assumeTrue(KernelModules.read("norm.ptx") != null, "no CUDA kernels: there is no nvcc here");
    set("kernels=" + KERNELS);
    return CudaProvider.open(settings);
  }

  /** Nothing is left on it, and nothing was written beyond its end. */
  static void requireEmpty() {
    if (REAL) {
      return; // NVIDIA's driver keeps no such counts
    }
    for (String what :
        List.of("contexts", "bytes", "pinned", "streams", "events", "modules", "graphs")) {
      assertEquals(0, count(what), what + " are left");
    }
    assertEquals(0, count("damaged"), "memory was written beyond its end");
  }

  /** Says something to it: {@code key=value,key=value}, as {@code control.cpp} has them. */
  static void set(String text) {
    try (var arena = Arena.ofConfined()) {
      assertEquals(0, (int) Calls.SET.invokeExact(arena.allocateFrom(text)), text);
    } catch (Throwable e) {
      throw e instanceof Error error ? error : new AssertionError(e);
    }
  }

  /** What it has counted. */
  static long count(String name) {
    try (var arena = Arena.ofConfined()) {
      return (long) Calls.COUNT.invokeExact(arena.allocateFrom(name));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
