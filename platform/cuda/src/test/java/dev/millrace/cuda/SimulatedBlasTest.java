package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The simulated cuBLASLt refuses what the real one refuses, and forgives no more. */
class SimulatedBlasTest {
  private static final int SUCCESS = 0;
  private static final int NOT_INITIALIZED = 1;
  private static final int INVALID_VALUE = 7;
  private static final int NOT_SUPPORTED = 15;
  private static final int TRANSPOSE_A = 3;
  private static final int EPILOGUE = 7;
  private static final int COLUMNS = 3;
  private static final int STRIDE = 4;
  private static final int OUTS = 32;
  private static final int INS = 48;
  private static final int ROWS = 5;

  private final Arena arena = Arena.ofConfined();
  private final Owned owned = new Owned();
  private final MemorySegment results = arena.allocate(96 * 8, 8);
  private final MemorySegment count = arena.allocate(JAVA_INT);
  private Gpu gpu;
  private BlasCalls calls;
  private Memory memory;
  private long stream;
  private long handle;
  private long operation;
  private long a;
  private long b;
  private long d;
  private long preference;

  @BeforeEach
  void open() throws Unavailable {
    SimulatedBlas.use();
    gpu = new Gpu(DriverLibrary.open());
    gpu.enter();
    owned.onClose(gpu::close);
    memory = new Memory(1 << 16, "a test");
    owned.onClose(memory::close);
    var made = new Handles.Stream();
    CudaResult.check(JCudaDriver.cuStreamCreate(made, 1), "cuStreamCreate");
    owned.onClose(() -> JCudaDriver.cuStreamDestroy(made));
    stream = made.value();
    calls = BlasLibrary.open(SimulatedBlas.search()).calls();
    handle = calls.create();
    owned.onClose(() -> calls.destroy(handle));
    operation = calls.createOperation();
    owned.onClose(() -> calls.destroyOperation(operation));
    assertEquals(SUCCESS, calls.setOperation(operation, TRANSPOSE_A, number(1)));
    preference = calls.createPreference();
    owned.onClose(() -> calls.destroyPreference(preference));
    for (int attribute = 5; attribute < 9; attribute++) {
      assertEquals(SUCCESS, calls.setPreference(preference, attribute, number(16)));
    }
    layouts(BlasType.BFLOAT16, OUTS, INS);
  }

  private void layouts(BlasType type, int outs, int ins) {
    a = layout(type, ins, outs);
    b = layout(type, ins, ROWS);
    d = layout(BlasType.BFLOAT16, outs, ROWS);
  }

  private long layout(BlasType type, int numbers, int columns) {
    long layout = calls.createLayout(type, numbers, columns, numbers);
    owned.onClose(() -> calls.destroyLayout(layout));
    return layout;
  }

  @AfterEach
  void close() {
    owned.close();
    SimulatedDriver.requireEmpty();
    assertEquals(0, SimulatedBlas.count("objects"));
    arena.close();
  }

  private MemorySegment number(int value) {
    return arena.allocateFrom(JAVA_INT, value);
  }

  private MemorySegment wide(long value) {
    return arena.allocateFrom(JAVA_LONG, value);
  }

  private int heuristic() {
    return calls.heuristic(handle, operation, a, b, d, preference, 8, results, count);
  }

  private int multiply(MemorySegment algorithm, long x, long workspace, long workspaceBytes) {
    var one = arena.allocateFrom(JAVA_FLOAT, 1);
    var zero = arena.allocateFrom(JAVA_FLOAT, 0);
    long start = memory.address();
    return calls.multiply(
        handle,
        operation,
        one,
        start,
        a,
        x,
        b,
        zero,
        start + (32 << 10),
        d,
        algorithm,
        workspace,
        workspaceBytes,
        stream);
  }

  private int multiply(MemorySegment algorithm) {
    return multiply(algorithm, memory.address(), memory.address() + (48 << 10), 1 << 10);
  }

  private MemorySegment algorithm(int which) {
    return results.asSlice(96L * which, BlasAlgorithms.BYTES);
  }

  @Test
  void attributesAreKnownAndOfTheirSize() {
    assertEquals(INVALID_VALUE, calls.setOperation(operation, TRANSPOSE_A, wide(1)));
    assertEquals(INVALID_VALUE, calls.setOperation(operation, 99, number(1)));
    assertEquals(INVALID_VALUE, calls.setLayout(a, COLUMNS, number(1)));
    assertEquals(SUCCESS, calls.setLayout(a, COLUMNS, wide(OUTS)));
    assertEquals(INVALID_VALUE, calls.setPreference(preference, 1, number(1)));
    assertEquals(INVALID_VALUE, calls.setOperation(a, TRANSPOSE_A, number(1)), "a layout");
  }

  @Test
  void handlesThatAreGoneAreRefused() {
    long gone = calls.create();
    calls.destroy(gone);
    int status = calls.heuristic(gone, operation, a, b, d, preference, 8, results, count);
    assertEquals(NOT_INITIALIZED, status);
    long layout = calls.createLayout(BlasType.BFLOAT16, INS, ROWS, INS);
    calls.destroyLayout(layout);
    status = calls.heuristic(handle, operation, a, layout, d, preference, 8, results, count);
    assertEquals(INVALID_VALUE, status);
    assertEquals(INVALID_VALUE, calls.setLayout(layout, COLUMNS, wide(1)));
  }

  @Test
  void sidesMustMatchAndRowsFitTheirStride() {
    assertEquals(SUCCESS, heuristic());
    assertEquals(SUCCESS, calls.setLayout(b, 2, wide(INS - 8))); // its rows
    assertEquals(INVALID_VALUE, heuristic());
    assertEquals(SUCCESS, calls.setLayout(b, 2, wide(INS)));
    assertEquals(SUCCESS, calls.setLayout(b, STRIDE, wide(INS - 1)));
    assertEquals(INVALID_VALUE, heuristic());
    assertEquals(SUCCESS, calls.setLayout(b, STRIDE, wide(INS)));
    assertEquals(SUCCESS, calls.setOperation(operation, TRANSPOSE_A, number(0)));
    assertEquals(NOT_SUPPORTED, heuristic());
  }

  @Test
  void fp8GoesBySixteens() {
    layouts(BlasType.FP8_E4M3, OUTS, INS);
    assertEquals(SUCCESS, heuristic());
    layouts(BlasType.FP8_E4M3, OUTS, INS + 8);
    assertEquals(NOT_SUPPORTED, heuristic());
    layouts(BlasType.FP8_E4M3, OUTS + 8, INS);
    assertEquals(NOT_SUPPORTED, heuristic());
  }

  @Test
  void aBiasNeedsAnAddress() {
    assertEquals(SUCCESS, calls.setOperation(operation, EPILOGUE, number(4)));
    assertEquals(INVALID_VALUE, heuristic());
  }

  @Test
  void aWorkspaceIsAlignedAndAsLargeAsAsked() {
    assertEquals(SUCCESS, heuristic());
    assertEquals(3, count.get(JAVA_INT, 0), "none that needs a workspace");
    assertEquals(SUCCESS, calls.setPreference(preference, 1, wide(1 << 10)));
    assertEquals(SUCCESS, heuristic());
    assertEquals(4, count.get(JAVA_INT, 0));
    long start = memory.address();
    assertEquals(INVALID_VALUE, multiply(algorithm(1), start, start + 1024, 512));
    assertEquals(INVALID_VALUE, multiply(algorithm(1), start, start + 1024 + 128, 1 << 10));
    assertEquals(SUCCESS, multiply(algorithm(1)));
    DriverCalls.synchronize(stream);
  }

  @Test
  void algorithmsAndAddressesAreChecked() {
    assertEquals(SUCCESS, heuristic());
    long start = memory.address();
    assertEquals(NOT_SUPPORTED, multiply(algorithm(0), start + 8, start, 0));
    assertEquals(INVALID_VALUE, multiply(arena.allocate(BlasAlgorithms.BYTES, 8)));
    SimulatedBlas.set("version", 130_200);
    assertEquals(INVALID_VALUE, multiply(algorithm(0)), "of another version");
    int status = calls.check(handle, operation, a, b, d, algorithm(0), results);
    assertEquals(INVALID_VALUE, status);
    assertEquals(0, SimulatedBlas.count("products"));
  }
}
