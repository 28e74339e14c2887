package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Products of one shape, for any number of rows. To cuBLASLt, which goes by columns, they are
 * {@code outᵀ = (Wᵀ)ᵀ xᵀ}, the first factor transposed: the one arrangement in which it takes FP8
 * on Hopper. Entered threads only.
 *
 * <p>A call copies no data and allocates nothing, once its bucket of rows has algorithms, and may
 * be captured into a graph: descriptors are read, and written for the next call, on the host.
 */
final class BlasLinear implements Owned.Closing {
  // cublasLtMatmulDescAttributes_t
  private static final int TRANSPOSE_A = 3;
  private static final int EPILOGUE = 7;
  private static final int BIAS = 8;
  private static final int SCALE_A = 17;
  private static final int SCALE_B = 18;
  private static final int SCALE_MODE_A = 31;
  private static final int SCALE_MODE_B = 32;

  private static final int COLUMNS = 3; // cublasLtMatrixLayoutAttribute_t
  private static final int EPILOGUE_BIAS = 4;
  private static final int SCALE_PER_ROW = 3; // CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F

  private final BlasCalls calls;
  private final long handle;
  private final Memory workspace;
  private final BlasShape shape;
  private final Owned owned = new Owned();
  private final Arena arena;
  private final long operation;
  private final long weightsLayout;
  private final long inputLayout;
  private final long outputLayout;
  private final MemorySegment one;
  private final MemorySegment zero;
  private final MemorySegment number;
  private final BlasHeuristic heuristic;
  private final @Nullable BlasAlgorithms[] byBucket =
      new @Nullable BlasAlgorithms[BlasBuckets.COUNT];

  /** What the layouts are set to. */
  private long rows = 1;

  /**
   * Without algorithms yet.
   *
   * @param handle the library's, open until this is closed
   * @param workspace which products of one stream share
   */
  @SuppressWarnings("MustBeClosedChecker") // closed with all else
  BlasLinear(BlasCalls calls, long handle, Memory workspace, BlasShape shape) {
    this.calls = calls;
    this.handle = handle;
    this.workspace = workspace;
    this.shape = shape;
    this.arena = Arena.ofShared();
    owned.onClose(arena::close);
    try {
      this.number = arena.allocate(JAVA_LONG);
      this.one = arena.allocateFrom(JAVA_FLOAT, 1);
      this.zero = arena.allocateFrom(JAVA_FLOAT, 0);
      this.operation = calls.createOperation();
      owned.onClose(() -> calls.destroyOperation(operation));
      this.weightsLayout = layout(shape.in(), shape.ins(), shape.outs(), shape.ins());
      this.inputLayout = layout(shape.in(), shape.ins(), 1, shape.xStride());
      this.outputLayout = layout(shape.out(), shape.outs(), 1, shape.outStride());
      this.heuristic = owned.add(new BlasHeuristic(calls, handle, workspace.bytes()));
      describe();
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  private long layout(BlasType type, long numbers, long columns, long stride) {
    long made = calls.createLayout(type, numbers, columns, stride);
    owned.onClose(() -> calls.destroyLayout(made));
    return made;
  }

  private void describe() {
    try (var scratch = Arena.ofConfined()) {
      set(TRANSPOSE_A, scratch.allocateFrom(JAVA_INT, 1));
      if (shape.bias()) {
        set(EPILOGUE, scratch.allocateFrom(JAVA_INT, EPILOGUE_BIAS));
        point(BIAS, workspace.address()); // to some place: the heuristic asks how it is aligned
      }
      if (shape.scales() != BlasShape.Scales.NONE) {
        point(SCALE_A, workspace.address());
        point(SCALE_B, workspace.address());
      }
      if (shape.scales() == BlasShape.Scales.ROWS) {
        set(SCALE_MODE_A, scratch.allocateFrom(JAVA_INT, SCALE_PER_ROW));
        set(SCALE_MODE_B, scratch.allocateFrom(JAVA_INT, SCALE_PER_ROW));
      }
    }
  }

  private void set(int attribute, MemorySegment value) {
    int status = calls.setOperation(operation, attribute, value);
    if (status != BlasStatus.SUCCESS) {
      BlasStatus.check(status, "cublasLtMatmulDescSetAttribute " + attribute);
    }
  }

  private void point(int attribute, long address) {
    number.set(JAVA_LONG, 0, address);
    set(attribute, number);
  }

  BlasShape shape() {
    return shape;
  }

  /** Addresses of one product in device memory; what the shape has not is 0. */
  record Operands(long x, long xScales, long weights, long weightScales, long bias, long out) {
    /** Without scales. */
    Operands(long x, long weights, long bias, long out) {
      this(x, 0, weights, 0, bias, out);
    }
  }

  /**
   * Puts the product of so many rows into the stream.
   *
   * @throws dev.millrace.spi.InferenceException {@code DEVICE_FAILURE} if no algorithm does it
   */
  void multiply(Operands operands, int rows, long stream) {
    int bucket = BlasBuckets.of(rows);
    var algorithms = byBucket[bucket];
    if (algorithms == null) {
      algorithms = best(rows);
      byBucket[bucket] = algorithms;
    }
    int status = multiply(algorithms, operands, rows, stream);
    if (BlasStatus.refused(status)) {
      status = multiplyOtherwise(operands, rows, stream);
    }
    if (status != BlasStatus.SUCCESS) {
      BlasStatus.check(status, "cublasLtMatmul of %d rows, %s".formatted(rows, shape.key()));
    }
  }

  /** For rows that none of their bucket's algorithms does. */
  private int multiplyOtherwise(Operands operands, int rows, long stream) {
    try (var scratch = Arena.ofConfined()) {
      return multiply(best(rows, scratch), operands, rows, stream);
    }
  }

  private int multiply(BlasAlgorithms algorithms, Operands operands, int rows, long stream) {
    int status = BlasStatus.NOT_SUPPORTED;
    for (int i = 0; i < algorithms.count() && BlasStatus.refused(status); i++) {
      status = multiply(algorithms.get(i), operands, rows, stream);
    }
    return status;
  }

  /** As {@link #multiply(Operands, int, long)}, by one algorithm; a status. */
  int multiply(MemorySegment algorithm, Operands operands, int rows, long stream) {
    resize(rows);
    if (shape.bias()) {
      point(BIAS, operands.bias());
    }
    if (shape.scales() != BlasShape.Scales.NONE) {
      point(SCALE_A, operands.weightScales());
      point(SCALE_B, operands.xScales());
    }
    return calls.multiply(
        handle,
        operation,
        one,
        operands.weights(),
        weightsLayout,
        operands.x(),
        inputLayout,
        zero,
        operands.out(),
        outputLayout,
        algorithm,
        workspace.address(),
        workspace.bytes(),
        stream);
  }

  private void resize(int wanted) {
    if (wanted != rows) {
      number.set(JAVA_LONG, 0, wanted);
      BlasStatus.check(calls.setLayout(inputLayout, COLUMNS, number), "the layout of x");
      BlasStatus.check(calls.setLayout(outputLayout, COLUMNS, number), "the layout of a result");
      rows = wanted;
    }
  }

  /** What the library thinks best for so many rows, the best first; empty if it cannot do it. */
  BlasAlgorithms best(int rows) {
    return best(rows, arena);
  }

  private BlasAlgorithms best(int rows, Arena target) {
    resize(rows);
    return heuristic.ask(operation, weightsLayout, inputLayout, outputLayout, target);
  }

  /** Those of the given that can do so many rows. */
  BlasAlgorithms usable(BlasAlgorithms given, int rows) {
    resize(rows);
    return given.those(
        algorithm -> heuristic.fits(operation, weightsLayout, inputLayout, outputLayout, algorithm),
        arena);
  }

  /** Copies of algorithms, for as long as this is open. */
  BlasAlgorithms keep(List<MemorySegment> algorithms) {
    return BlasAlgorithms.of(algorithms, arena);
  }

  /** Whether {@link #choose} was called for a bucket. */
  boolean chosen(int bucket) {
    return byBucket[bucket] != null;
  }

  /** Uses these, not none, for all rows of a bucket, the first that does not refuse. */
  void choose(int bucket, BlasAlgorithms algorithms) {
    byBucket[bucket] = algorithms;
  }

  @Override
  public void close() {
    owned.close();
  }
}
