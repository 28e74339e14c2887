package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.util.Objects.requireNonNull;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The library in which the CUDA kernels run on the CPU; {@code kernels/cuda/README.md}. */
@SuppressWarnings("restricted") // native code is what this is for
final class Emulator implements KernelRunner {
  private static final int MESSAGE_BYTES = 200;
  private static final int TABLE_ENTRY_BYTES = 32;

  private final MethodHandle launch;
  private final MethodHandle earlyCopies;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final Map<String, List<Integer>> sizes = new HashMap<>();

  Emulator() {
    var file = System.getProperty("millrace.cuda.emulated");
    var library =
        file != null
            ? Path.of(file)
            : Path.of(
                System.getProperty("millrace.root"),
                "kernels/target/emulated/libmillrace_cuda_emulated.so");
    if (!Files.exists(library)) {
      throw new IllegalStateException(
          library + " is missing: build the module kernels on a machine with g++ (Linux, x86-64)");
    }
    var symbols = SymbolLookup.libraryLookup(library, Arena.global());
    launch =
        handle(
            symbols,
            "millrace_cuda_launch",
            FunctionDescriptor.of(
                JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG));
    earlyCopies =
        handle(symbols, "millrace_cuda_early_copies", FunctionDescriptor.ofVoid(JAVA_INT));
    readTable(handle(symbols, "millrace_cuda_kernels", FunctionDescriptor.of(ADDRESS, ADDRESS)));
  }

  private static MethodHandle handle(SymbolLookup symbols, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), type);
  }

  private void readTable(MethodHandle kernels) {
    try (var arena = Arena.ofConfined()) {
      var count = arena.allocate(JAVA_INT);
      var table = ((MemorySegment) kernels.invokeExact(count)).reinterpret(Long.MAX_VALUE);
      for (int i = 0; i < count.get(JAVA_INT, 0); i++) {
        var entry = table.asSlice((long) TABLE_ENTRY_BYTES * i, TABLE_ENTRY_BYTES);
        var name = entry.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
        var bytes = entry.get(ADDRESS, 16).reinterpret(Long.MAX_VALUE);
        var list = new ArrayList<Integer>();
        for (int p = 0; p < entry.get(JAVA_INT, 8); p++) {
          list.add(bytes.getAtIndex(JAVA_INT, p));
        }
        numbers.put(name, i);
        sizes.put(name, list);
      }
    } catch (Throwable e) {
      throw new LinkageError("the table of kernels cannot be read", e);
    }
  }

  @Override
  public MemorySegment allocate(long bytes) {
    return GuardedMemory.allocate(bytes, 256);
  }

  @Override
  public void copyEarly(boolean early) {
    try {
      earlyCopies.invokeExact(early ? 1 : 0);
    } catch (Throwable e) {
      throw new LinkageError("millrace_cuda_early_copies", e);
    }
  }

  @Override
  public void launch(String kernel, Grid grid, Object... arguments) {
    var wanted = sizes.get(kernel);
    if (wanted == null || wanted.size() != arguments.length) {
      throw new IllegalArgumentException(kernel + " takes " + wanted);
    }
    try (var arena = Arena.ofConfined()) {
      var values = arena.allocate(JAVA_LONG, arguments.length);
      var addresses = arena.allocate(ADDRESS, arguments.length);
      for (int i = 0; i < arguments.length; i++) {
        put(kernel, i, values.asSlice(8L * i, 8), arguments[i], wanted.get(i));
        addresses.setAtIndex(ADDRESS, i, values.asSlice(8L * i, 8));
      }
      var gridSizes = arena.allocateFrom(JAVA_INT, grid.x(), grid.y(), grid.z());
      var blockSizes = arena.allocateFrom(JAVA_INT, grid.threads(), 1, 1);
      var message = arena.allocate(MESSAGE_BYTES);
      int failed =
          (int)
              launch.invokeExact(
                  (int) requireNonNull(numbers.get(kernel)),
                  gridSizes,
                  blockSizes,
                  grid.shared(),
                  addresses,
                  message,
                  (long) MESSAGE_BYTES);
      if (failed != 0) {
        throw new IllegalStateException(kernel + ": " + message.getString(0));
      }
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError(kernel, e);
    } finally {
      Reference.reachabilityFence(arguments); // the kernel knows but addresses
    }
  }

  private static void put(String kernel, int i, MemorySegment to, Object value, int size) {
    int given = KernelRunner.put(to, value);
    if (given != size) {
      throw new IllegalArgumentException(
          "parameter %d of %s has %d bytes, not %d".formatted(i, kernel, size, given));
    }
  }
}
