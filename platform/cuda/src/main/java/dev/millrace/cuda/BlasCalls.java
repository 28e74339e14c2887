package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * cuBLASLt's calls, with the names and numbers of NVIDIA's cublasLt.h (CUDA 12 and 13). Its objects
 * are handles; addresses of device memory are numbers.
 */
final class BlasCalls {
  /** What is looked for in the library. */
  static final List<String> SYMBOLS =
      List.of(
          "cublasLtGetVersion",
          "cublasLtCreate",
          "cublasLtDestroy",
          "cublasLtMatmulDescCreate",
          "cublasLtMatmulDescDestroy",
          "cublasLtMatmulDescSetAttribute",
          "cublasLtMatrixLayoutCreate",
          "cublasLtMatrixLayoutDestroy",
          "cublasLtMatrixLayoutSetAttribute",
          "cublasLtMatmulPreferenceCreate",
          "cublasLtMatmulPreferenceDestroy",
          "cublasLtMatmulPreferenceSetAttribute",
          "cublasLtMatmulAlgoGetHeuristic",
          "cublasLtMatmulAlgoCheck",
          "cublasLtMatmul");

  private static final int COMPUTE_32F = 68;

  private final MethodHandle getVersion;
  private final MethodHandle create;
  private final MethodHandle destroy;
  private final MethodHandle createOperation;
  private final MethodHandle destroyOperation;
  private final MethodHandle setOperation;
  private final MethodHandle createLayout;
  private final MethodHandle destroyLayout;
  private final MethodHandle setLayout;
  private final MethodHandle createPreference;
  private final MethodHandle destroyPreference;
  private final MethodHandle setPreference;
  private final MethodHandle heuristic;
  private final MethodHandle check;
  private final MethodHandle multiply;

  /** Binds a function of the library. */
  interface Binder {
    MethodHandle bind(String symbol, MemoryLayout returned, List<MemoryLayout> arguments);
  }

  BlasCalls(Binder binder) {
    getVersion = binder.bind("cublasLtGetVersion", JAVA_LONG, List.of());
    create = bind(binder, "cublasLtCreate", ADDRESS);
    destroy = bind(binder, "cublasLtDestroy", JAVA_LONG);
    createOperation = bind(binder, "cublasLtMatmulDescCreate", ADDRESS, JAVA_INT, JAVA_INT);
    destroyOperation = bind(binder, "cublasLtMatmulDescDestroy", JAVA_LONG);
    setOperation = setter(binder, "cublasLtMatmulDescSetAttribute");
    createLayout =
        bind(
            binder,
            "cublasLtMatrixLayoutCreate",
            ADDRESS,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);
    destroyLayout = bind(binder, "cublasLtMatrixLayoutDestroy", JAVA_LONG);
    setLayout = setter(binder, "cublasLtMatrixLayoutSetAttribute");
    createPreference = bind(binder, "cublasLtMatmulPreferenceCreate", ADDRESS);
    destroyPreference = bind(binder, "cublasLtMatmulPreferenceDestroy", JAVA_LONG);
    setPreference = setter(binder, "cublasLtMatmulPreferenceSetAttribute");
    // handle, operation, layouts of A, B, C and D
    var six =
        List.<MemoryLayout>of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    heuristic =
        binder.bind(
            "cublasLtMatmulAlgoGetHeuristic",
            JAVA_INT,
            and(six, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS));
    check = binder.bind("cublasLtMatmulAlgoCheck", JAVA_INT, and(six, ADDRESS, ADDRESS));
    multiply =
        bind(
            binder,
            "cublasLtMatmul",
            JAVA_LONG, // handle
            JAVA_LONG, // operation
            ADDRESS, // alpha
            JAVA_LONG, // A and its layout
            JAVA_LONG,
            JAVA_LONG, // B
            JAVA_LONG,
            ADDRESS, // beta
            JAVA_LONG, // C
            JAVA_LONG,
            JAVA_LONG, // D
            JAVA_LONG,
            ADDRESS, // algorithm
            JAVA_LONG, // workspace, its bytes
            JAVA_LONG,
            JAVA_LONG); // stream
  }

  private static MethodHandle bind(Binder binder, String symbol, MemoryLayout... arguments) {
    return binder.bind(symbol, JAVA_INT, List.of(arguments));
  }

  private static MethodHandle setter(Binder binder, String symbol) {
    return bind(binder, symbol, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  }

  private static List<MemoryLayout> and(List<MemoryLayout> first, MemoryLayout... then) {
    return Stream.concat(first.stream(), Arrays.stream(then)).toList();
  }

  long version() {
    try {
      return (long) getVersion.invokeExact();
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** What makes an object, whose handle it writes. */
  private interface Maker {
    int make(MemorySegment handle) throws Throwable;
  }

  private static long made(String call, Maker maker) {
    try (var arena = Arena.ofConfined()) {
      var handle = arena.allocate(JAVA_LONG);
      BlasStatus.check(maker.make(handle), call);
      return handle.get(JAVA_LONG, 0);
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** The library's state for the current context. */
  long create() {
    return made("cublasLtCreate", handle -> (int) create.invokeExact(handle));
  }

  void destroy(long handle) {
    destroy(destroy, handle);
  }

  /** A product with sums in F32. */
  long createOperation() {
    return made(
        "cublasLtMatmulDescCreate",
        handle ->
            (int) createOperation.invokeExact(handle, COMPUTE_32F, BlasType.FLOAT32.number()));
  }

  void destroyOperation(long operation) {
    destroy(destroyOperation, operation);
  }

  /** By columns, {@code stride} numbers from one to the next. */
  long createLayout(BlasType type, long rows, long columns, long stride) {
    return made(
        "cublasLtMatrixLayoutCreate",
        handle -> (int) createLayout.invokeExact(handle, type.number(), rows, columns, stride));
  }

  void destroyLayout(long layout) {
    destroy(destroyLayout, layout);
  }

  long createPreference() {
    return made(
        "cublasLtMatmulPreferenceCreate", handle -> (int) createPreference.invokeExact(handle));
  }

  void destroyPreference(long preference) {
    destroy(destroyPreference, preference);
  }

  private static void destroy(MethodHandle call, long object) {
    try {
      var _ = (int) call.invokeExact(object); // a broken context has nothing left to free
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** A status: whether the library knows the attribute. */
  int setOperation(long operation, int attribute, MemorySegment value) {
    return set(setOperation, operation, attribute, value);
  }

  int setLayout(long layout, int attribute, MemorySegment value) {
    return set(setLayout, layout, attribute, value);
  }

  int setPreference(long preference, int attribute, MemorySegment value) {
    return set(setPreference, preference, attribute, value);
  }

  private static int set(MethodHandle call, long object, int attribute, MemorySegment value) {
    try {
      return (int) call.invokeExact(object, attribute, value, value.byteSize());
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** The algorithms that the library thinks best, the first first; a status. */
  int heuristic(
      long handle,
      long operation,
      long a,
      long b,
      long d,
      long preference,
      int most,
      MemorySegment results,
      MemorySegment count) {
    try {
      return (int)
          heuristic.invokeExact(handle, operation, a, b, d, d, preference, most, results, count);
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** A status: whether an algorithm can do it. */
  int check(
      long handle,
      long operation,
      long a,
      long b,
      long d,
      MemorySegment algorithm,
      MemorySegment result) {
    try {
      return (int) check.invokeExact(handle, operation, a, b, d, d, algorithm, result);
    } catch (Throwable e) {
      throw rethrown(e);
    }
  }

  /** Puts a product into the stream; C is D. A status. */
  int multiply(
      long handle,
      long operation,
      MemorySegment alpha,
      long aData,
      long a,
      long bData,
      long b,
      MemorySegment beta,
      long dData,
      long d,
      MemorySegment algorithm,
      long workspace,
      long workspaceBytes,
      long stream) {
    try {
      return (int)
          multiply.invokeExact(
              handle,
              operation,
              alpha,
              aData,
              a,
              bData,
              b,
              beta,
              dData,
              d,
              dData,
              d,
              algorithm,
              workspace,
              workspaceBytes,
              stream);
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
        : new LinkageError("a call of cuBLASLt was declared wrongly", e);
  }
}
