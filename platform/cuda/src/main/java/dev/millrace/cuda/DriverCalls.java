package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The driver's calls that a step makes, without JCuda's boxing: a launch through JCuda's pointers
 * costs microseconds. All work goes into the given stream. Needs {@link DriverLibrary}.
 */
@SuppressWarnings("restricted")
final class DriverCalls {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup LIBRARY =
      SymbolLookup.libraryLookup(DriverLibrary.NAME, Arena.global());

  private static final MethodHandle LAUNCH =
      find("cuLaunchKernelEx", ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);
  private static final MethodHandle UPLOAD =
      find("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle DOWNLOAD =
      find("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MOVE =
      find("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle FILL =
      find("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SYNCHRONIZE = find("cuStreamSynchronize", JAVA_LONG);
  private static final MethodHandle RECORD = find("cuEventRecord", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle AWAIT = find("cuEventSynchronize", JAVA_LONG);
  private static final MethodHandle LAUNCH_GRAPH = find("cuGraphLaunch", JAVA_LONG, JAVA_LONG);

  private DriverCalls() {}

  private static MethodHandle find(String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LIBRARY.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
  }

  /**
   * Launches a kernel.
   *
   * @param configuration a {@code CUlaunchConfig}, as {@link LaunchConfiguration} lays it out
   * @param parameters addresses of the parameters
   */
  static void launch(MemorySegment configuration, long function, MemorySegment parameters) {
    try {
      int result = (int) LAUNCH.invokeExact(configuration, function, parameters, 0L);
      CudaResult.check(result, "cuLaunchKernelEx");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** Copies to the device; the source may be reused once the stream has come so far. */
  static void upload(long device, MemorySegment source, long bytes, long stream) {
    try {
      int result = (int) UPLOAD.invokeExact(device, source, bytes, stream);
      CudaResult.check(result, "cuMemcpyHtoDAsync");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** Copies from the device; the target is filled once the stream has come so far. */
  static void download(MemorySegment target, long device, long bytes, long stream) {
    try {
      int result = (int) DOWNLOAD.invokeExact(target, device, bytes, stream);
      CudaResult.check(result, "cuMemcpyDtoHAsync");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  static void move(long target, long source, long bytes, long stream) {
    try {
      int result = (int) MOVE.invokeExact(target, source, bytes, stream);
      CudaResult.check(result, "cuMemcpyDtoDAsync");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  static void fill(long target, byte value, long bytes, long stream) {
    try {
      int result = (int) FILL.invokeExact(target, value, bytes, stream);
      CudaResult.check(result, "cuMemsetD8Async");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** Waits for all that was put into a stream; errors of that work come out here. */
  static void synchronize(long stream) {
    try {
      int result = (int) SYNCHRONIZE.invokeExact(stream);
      CudaResult.check(result, "cuStreamSynchronize");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** Has an event happen once a stream has done what it has now. */
  static void record(long event, long stream) {
    try {
      int result = (int) RECORD.invokeExact(event, stream);
      CudaResult.check(result, "cuEventRecord");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** Waits for an event, if it was ever recorded; errors of the work before it come out here. */
  static void await(long event) {
    try {
      int result = (int) AWAIT.invokeExact(event);
      CudaResult.check(result, "cuEventSynchronize");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  static void launchGraph(long executable, long stream) {
    try {
      int result = (int) LAUNCH_GRAPH.invokeExact(executable, stream);
      CudaResult.check(result, "cuGraphLaunch");
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  private static RuntimeException rethrown(Throwable e) {
    if (e instanceof RuntimeException unchecked) {
      return unchecked;
    }
    throw e instanceof Error error
        ? error
        : new LinkageError("a driver call was declared wrongly", e);
  }
}
