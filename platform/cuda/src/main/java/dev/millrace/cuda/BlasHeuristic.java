package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;

/** What cuBLASLt proposes for a product, with our workspace and alignment. */
final class BlasHeuristic implements Owned.Closing {
  /** How many are asked for. */
  private static final int MOST = 8;

  // cublasLtMatmulHeuristicResult_t
  private static final int RESULT_BYTES = 96;
  private static final int STATE = 72;

  // cublasLtMatmulPreferenceAttributes_t
  private static final int WORKSPACE_BYTES = 1;
  private static final int REDUCTIONS = 3;
  private static final int[] ALIGNMENTS = {5, 6, 7, 8}; // of A, B, C and D

  /** Where K is cut, the parts are added up in F32, and not in the type of the result. */
  private static final int REDUCTION_IN_F32 = 2;

  private final BlasCalls calls;
  private final long handle;
  private final long preference;

  BlasHeuristic(BlasCalls calls, long handle, long workspaceBytes) {
    this.calls = calls;
    this.handle = handle;
    this.preference = calls.createPreference();
    try (var arena = Arena.ofConfined()) {
      set(WORKSPACE_BYTES, arena.allocateFrom(JAVA_LONG, workspaceBytes));
      set(REDUCTIONS, arena.allocateFrom(JAVA_INT, REDUCTION_IN_F32));
      for (int attribute : ALIGNMENTS) {
        set(attribute, arena.allocateFrom(JAVA_INT, BlasShape.ALIGNMENT));
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void set(int attribute, MemorySegment value) {
    BlasStatus.check(
        calls.setPreference(preference, attribute, value),
        "cublasLtMatmulPreferenceSetAttribute " + attribute);
  }

  /** Its proposals, the best first; none if it has no algorithm. */
  BlasAlgorithms ask(long operation, long a, long b, long d, Arena arena) {
    try (var scratch = Arena.ofConfined()) {
      var results = scratch.allocate(MOST * RESULT_BYTES, Long.BYTES);
      var count = scratch.allocate(JAVA_INT);
      int status = calls.heuristic(handle, operation, a, b, d, preference, MOST, results, count);
      if (status != BlasStatus.SUCCESS && !BlasStatus.refused(status)) {
        BlasStatus.check(status, "cublasLtMatmulAlgoGetHeuristic");
      }
      var found = new ArrayList<MemorySegment>();
      for (int i = 0; status == BlasStatus.SUCCESS && i < count.get(JAVA_INT, 0); i++) {
        long at = (long) RESULT_BYTES * i;
        if (results.get(JAVA_INT, at + STATE) == BlasStatus.SUCCESS) {
          found.add(results.asSlice(at, BlasAlgorithms.BYTES));
        }
      }
      return BlasAlgorithms.of(found, arena);
    }
  }

  /** Whether an algorithm, which may be any bytes, can do it. */
  boolean fits(long operation, long a, long b, long d, MemorySegment algorithm) {
    try (var scratch = Arena.ofConfined()) {
      var result = scratch.allocate(RESULT_BYTES, Long.BYTES);
      int status = calls.check(handle, operation, a, b, d, algorithm, result);
      return status == BlasStatus.SUCCESS && result.get(JAVA_INT, STATE) == BlasStatus.SUCCESS;
    }
  }

  @Override
  public void close() {
    calls.destroyPreference(preference);
  }
}
