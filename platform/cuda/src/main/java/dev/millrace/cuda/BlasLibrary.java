package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * NVIDIA's cuBLASLt, found on this machine and loaded for as long as the process lives: its kernels
 * may be in use until then. Each thing that is wrong with it has its own message.
 */
@SuppressWarnings("restricted")
final class BlasLibrary {
  /** CUDA 12.0: what knows BF16 and FP8 as we ask for them. */
  private static final int OLDEST = 120_000;

  private static final String INSTALL =
      "install the CUDA toolkit 13 or Python's nvidia-cublas, or name the folder of"
          + " libcublasLt.so.13 with -D"
          + BlasSearch.PROPERTY
          + "=FOLDER";

  private static final int RESOLVE_NOW = 2;
  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle OPEN =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("dlopen"),
          FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
  private static final MethodHandle FIND =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("dlsym"),
          FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
  private static final MethodHandle PROBLEM =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("dlerror"), FunctionDescriptor.of(ADDRESS));

  private final String name;
  private final BlasCalls calls;
  private final long version;

  private BlasLibrary(String name, BlasCalls calls, long version) {
    this.name = name;
    this.calls = calls;
    this.version = version;
  }

  /** The first that can be used of what a search found. */
  static BlasLibrary open(BlasSearch search) throws Unavailable {
    var candidates = search.candidates();
    if (candidates.isEmpty()) {
      throw new Unavailable(
          "no cuBLASLt: neither of %s is in %s, which -D%s or %s names"
              .formatted(
                  search.names(), search.folder(), BlasSearch.PROPERTY, BlasSearch.VARIABLE));
    }
    var problems = new ArrayList<String>();
    for (String candidate : candidates) {
      try {
        return open(candidate);
      } catch (Unavailable e) {
        problems.add(e.getMessage());
      }
    }
    throw new Unavailable("no cuBLASLt: " + String.join("; ", problems) + "; " + INSTALL);
  }

  private static BlasLibrary open(String name) throws Unavailable {
    var library = load(name);
    var missing = BlasCalls.SYMBOLS.stream().filter(symbol -> absent(library, symbol)).toList();
    if (!missing.isEmpty()) {
      throw new Unavailable(name + " lacks " + String.join(", ", missing));
    }
    var calls =
        new BlasCalls((symbol, returned, arguments) -> bind(library, symbol, returned, arguments));
    long version = calls.version();
    if (version < OLDEST) {
      throw new Unavailable(
          "%s is version %s, at least 12.0 is needed".formatted(name, name(version)));
    }
    return new BlasLibrary(name, calls, version);
  }

  private static MemorySegment load(String name) throws Unavailable {
    try (var arena = Arena.ofConfined()) {
      var handle = (MemorySegment) OPEN.invokeExact(arena.allocateFrom(name), RESOLVE_NOW);
      if (handle.address() != 0) {
        return handle;
      }
      var text = (MemorySegment) PROBLEM.invokeExact();
      throw new Unavailable(
          text.address() == 0
              ? name + " cannot be loaded"
              : text.reinterpret(Long.MAX_VALUE).getString(0));
    } catch (Unavailable | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError("dlopen was declared wrongly", e);
    }
  }

  private static MemorySegment find(MemorySegment library, String symbol) {
    try (var arena = Arena.ofConfined()) {
      return (MemorySegment) FIND.invokeExact(library, arena.allocateFrom(symbol));
    } catch (Throwable e) {
      throw new LinkageError("dlsym was declared wrongly", e);
    }
  }

  private static boolean absent(MemorySegment library, String symbol) {
    return find(library, symbol).address() == 0;
  }

  private static MethodHandle bind(
      MemorySegment library, String symbol, MemoryLayout returned, List<MemoryLayout> arguments) {
    return LINKER.downcallHandle(
        find(library, symbol),
        FunctionDescriptor.of(returned, arguments.toArray(MemoryLayout[]::new)));
  }

  /** The path, or the name by which the loader found it. */
  String name() {
    return name;
  }

  BlasCalls calls() {
    return calls;
  }

  /** 13.1.0 for 130100. */
  String version() {
    return name(version);
  }

  private static String name(long version) {
    return version / 10_000 + "." + version % 10_000 / 100 + "." + version % 100;
  }
}
