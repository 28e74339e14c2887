package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The simulated cuBLASLt of {@code kernels/cuda/simulated-blas}, in place of NVIDIA's. */
@SuppressWarnings("restricted")
final class SimulatedBlas {
  private static final Path FOLDER =
      Path.of(System.getProperty("millrace.root", "../.."))
          .resolve("kernels/target/simulated-blas")
          .toAbsolutePath()
          .normalize();

  static final Path LIBRARY = FOLDER.resolve("libcublasLt.so.13");

  private static final class Calls {
    static final MethodHandle SET;
    static final MethodHandle COUNT;
    static final MethodHandle RESET;

    static {
      var linker = Linker.nativeLinker();
      var library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
      SET =
          linker.downcallHandle(
              library.findOrThrow("millrace_blas_set"),
              FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
      COUNT =
          linker.downcallHandle(
              library.findOrThrow("millrace_blas_count"),
              FunctionDescriptor.of(JAVA_LONG, ADDRESS));
      RESET =
          linker.downcallHandle(
              library.findOrThrow("millrace_blas_reset"), FunctionDescriptor.ofVoid());
    }
  }

  private SimulatedBlas() {}

  /** Makes both libraries as new, or skips the test where they could not be built. */
  static void use() {
    SimulatedDriver.use();
    assumeTrue(Files.exists(LIBRARY), "no simulated cuBLASLt: there is no C++ compiler here");
    try {
      Calls.RESET.invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** A search that finds it and nothing else. */
  static BlasSearch search() {
    return new BlasSearch(BlasSearch.NAMES, FOLDER.toString(), Map.of(), Path.of("/"));
  }

  /** One of the settings of {@code control.cpp}. */
  static void set(String key, long value) {
    try (var arena = Arena.ofConfined()) {
      assertEquals(0, (int) Calls.SET.invokeExact(arena.allocateFrom(key), value), key);
    } catch (Throwable e) {
      throw e instanceof Error error ? error : new AssertionError(e);
    }
  }

  /** One of the counts of {@code control.cpp}. */
  static long count(String name) {
    try (var arena = Arena.ofConfined()) {
      return (long) Calls.COUNT.invokeExact(arena.allocateFrom(name));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
