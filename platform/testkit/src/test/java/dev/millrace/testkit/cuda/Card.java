package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The kernels on a card, through the CUDA driver. Their memory is pinned memory of the host, which
 * a card uses at the same addresses; it is never given back. One thread only.
 */
@SuppressWarnings("restricted") // native code is what this is for
final class Card implements KernelRunner {
  private static final int MAPPED = 2; // CU_MEMHOSTALLOC_DEVICEMAP
  private static final int MAJOR = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  private static final int MINOR = 76;
  private static final int MOST_SHARED = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
  private static final int SHARED_WITHOUT_ASKING = 48 << 10;
  private static final int NOT_FOUND = 500; // CUDA_ERROR_NOT_FOUND
  private static final int ALIGNMENT = 256;
  private static final long SLAB = 32 << 20;

  private final SymbolLookup library = SymbolLookup.libraryLookup("libcuda.so.1", Arena.global());
  private final MethodHandle launch;
  private final List<Long> modules = new ArrayList<>();
  private final Map<String, Long> functions = new HashMap<>();
  private final List<MemorySegment> slabs = new ArrayList<>();
  private long used = SLAB;

  Card() {
    var i = JAVA_INT;
    launch = call("cuLaunchKernel", JAVA_LONG, i, i, i, i, i, i, i, JAVA_LONG, ADDRESS, JAVA_LONG);
    try (var arena = Arena.ofConfined()) {
      var out = arena.allocate(JAVA_LONG);
      check("cuInit", 0);
      check("cuDeviceGet", out, 0);
      int device = out.get(JAVA_INT, 0);
      check("cuDevicePrimaryCtxRetain", out, device);
      check("cuCtxSetCurrent", out.get(JAVA_LONG, 0));
      check("cuDeviceGetAttribute", out, MAJOR, device);
      int architecture = 10 * out.get(JAVA_INT, 0);
      check("cuDeviceGetAttribute", out, MINOR, device);
      loadModules(architecture + out.get(JAVA_INT, 0));
    }
  }

  private void loadModules(int architecture) {
    String machineCode =
        switch (architecture) {
          case 90 -> ".sm_90a.cubin";
          case 89 -> ".sm_89.cubin";
          case 80, 86, 87 -> ".sm_80.cubin";
          default -> ".ptx";
        };
    var folder =
        Path.of(
            System.getProperty(
                "millrace.cuda.kernels",
                System.getProperty("millrace.root")
                    + "/kernels/target/classes/dev/millrace/kernels/cuda"));
    try (var arena = Arena.ofConfined();
        var files = Files.newDirectoryStream(folder, "*" + machineCode)) {
      var out = arena.allocate(JAVA_LONG);
      for (var file : files) {
        byte[] image = Files.readAllBytes(file);
        var text = arena.allocateFrom(JAVA_BYTE, Arrays.copyOf(image, image.length + 1));
        check("cuModuleLoadData", out, text);
        modules.add(out.get(JAVA_LONG, 0));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (modules.isEmpty()) {
      throw new IllegalStateException(
          "no kernels in " + folder + ": build the module kernels on a machine with nvcc");
    }
  }

  @Override
  public MemorySegment allocate(long bytes) {
    if (bytes > SLAB / 2) {
      return pinned(bytes);
    }
    long wanted = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    if (used + wanted > SLAB) {
      var _ = pinned(SLAB);
      used = 0;
    }
    var slab = slabs.getLast();
    var memory = slab.asSlice(used, bytes).fill((byte) 0);
    used += wanted + ALIGNMENT;
    return memory;
  }

  /** All of it NaN, so that what lies between two arrays is. */
  private MemorySegment pinned(long bytes) {
    try (var arena = Arena.ofConfined()) {
      var out = arena.allocate(ADDRESS);
      check("cuMemHostAlloc", out, bytes, MAPPED);
      var memory = out.get(ADDRESS, 0).reinterpret(bytes).fill((byte) -1);
      slabs.add(memory);
      return memory;
    }
  }

  @Override
  public void copyEarly(boolean early) {
    // a card's copies land when they land
  }

  @Override
  public void launch(String kernel, Grid grid, Object... arguments) {
    long function = functions.computeIfAbsent(kernel, this::find);
    if (grid.shared() > SHARED_WITHOUT_ASKING) {
      check("cuFuncSetAttribute", function, MOST_SHARED, (int) grid.shared());
    }
    try (var arena = Arena.ofConfined()) {
      var values = arena.allocate(JAVA_LONG, arguments.length);
      var addresses = arena.allocate(ADDRESS, arguments.length);
      for (int i = 0; i < arguments.length; i++) {
        requireUsable(kernel, arguments[i]);
        KernelRunner.put(values.asSlice(8L * i, 8), arguments[i]);
        addresses.setAtIndex(ADDRESS, i, values.asSlice(8L * i, 8));
      }
      int result =
          (int)
              launch.invokeExact(
                  function,
                  grid.x(),
                  grid.y(),
                  grid.z(),
                  grid.threads(),
                  1,
                  1,
                  (int) grid.shared(),
                  0L,
                  addresses,
                  0L);
      require(kernel, result);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError(kernel, e);
    }
    check("cuCtxSynchronize");
  }

  /** A kernel would break the context if it used what it cannot. */
  private void requireUsable(String kernel, Object argument) {
    if (argument instanceof MemorySegment memory
        && memory.address() != 0
        && slabs.stream().noneMatch(slab -> slab.asOverlappingSlice(memory).isPresent())) {
      throw new IllegalArgumentException(kernel + " was given memory that no card can use");
    }
  }

  private long find(String kernel) {
    try (var arena = Arena.ofConfined()) {
      var out = arena.allocate(JAVA_LONG);
      var name = arena.allocateFrom(kernel);
      for (long module : modules) {
        int result = invoke("cuModuleGetFunction", out, module, name);
        if (result != NOT_FOUND) {
          require("cuModuleGetFunction", result);
          return out.get(JAVA_LONG, 0);
        }
      }
    }
    throw new IllegalArgumentException("there is no CUDA kernel " + kernel);
  }

  private void check(String call, Object... arguments) {
    require(call, invoke(call, arguments));
  }

  private int invoke(String call, Object... arguments) {
    var types =
        Arrays.stream(arguments)
            .map(argument ->
                argument instanceof Integer
                    ? JAVA_INT
                    : argument instanceof Long ? JAVA_LONG : (ValueLayout) ADDRESS)
            .toArray(MemoryLayout[]::new);
    try {
      return (int) requireNonNull(call(call, types).invokeWithArguments(arguments));
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError(call, e);
    }
  }

  private MethodHandle call(String name, MemoryLayout... types) {
    return Linker.nativeLinker()
        .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, types));
  }

  private static void require(String what, int result) {
    if (result != 0) {
      throw new IllegalStateException(what + ": CUDA error " + result);
    }
  }
}
