package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/** The weights of a model outside the Java heap: where they lie, or copied once. Engine thread. */
final class NativeConstants {
  private final Arena arena = Arena.ofAuto();
  private final IdentityHashMap<Object, NativeMatrix> matrices = new IdentityHashMap<>();
  private final IdentityHashMap<Object, MemorySegment> vectors = new IdentityHashMap<>();

  NativeMatrix matrix(QuantizedMatrix matrix) {
    return matrices.computeIfAbsent(matrix, _ -> NativeMatrix.of(matrix, arena));
  }

  /** Address of numbers; 0 for none. */
  long address(float @Nullable [] numbers) {
    if (numbers == null) {
      return 0;
    }
    return vectors.computeIfAbsent(numbers, _ -> arena.allocateFrom(JAVA_FLOAT, numbers)).address();
  }
}
