package dev.millrace.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Predicate;

/**
 * Algorithms in the order in which they are tried: {@code cublasLtMatmulAlgo_t}, 64 bytes each,
 * which NVIDIA lets us keep for the same version of the library.
 */
final class BlasAlgorithms {
  static final int BYTES = 64;

  private final List<MemorySegment> all;

  private BlasAlgorithms(List<MemorySegment> all) {
    this.all = all;
  }

  /** Copies, into the arena. */
  static BlasAlgorithms of(List<MemorySegment> algorithms, Arena arena) {
    return new BlasAlgorithms(
        algorithms.stream()
            .map(algorithm -> arena.allocate(BYTES, Long.BYTES).copyFrom(algorithm))
            .toList());
  }

  int count() {
    return all.size();
  }

  MemorySegment get(int i) {
    return all.get(i);
  }

  List<MemorySegment> all() {
    return all;
  }

  BlasAlgorithms those(Predicate<MemorySegment> wanted, Arena arena) {
    return of(all.stream().filter(wanted).toList(), arena);
  }
}
