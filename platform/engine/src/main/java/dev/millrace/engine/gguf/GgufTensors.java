package dev.millrace.engine.gguf;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.CheckpointTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongFunction;

/**
 * The tensors of a mapped model, by the names of Hugging Face. They lie where the files have them,
 * but for the few that files store in another way: rows in another order, norms with 1 added. Those
 * are copied when they are first asked for. Thread-safe.
 */
public final class GgufTensors {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path path;
  private final Map<String, GgufWeight> weights;
  private final List<MemorySegment> files;
  private final Map<String, CheckpointTensor> made = new ConcurrentHashMap<>();

  GgufTensors(Path path, Map<String, GgufWeight> weights, List<MemorySegment> files) {
    this.path = path;
    this.weights = weights;
    this.files = files;
  }

  public Set<String> names() {
    return Collections.unmodifiableSet(weights.keySet());
  }

  /**
   * The tensor of this name.
   *
   * @param allocate gives memory that lives as long as the mapping
   * @throws InferenceException {@code MISSING_TENSOR}
   */
  public CheckpointTensor tensor(String name, LongFunction<MemorySegment> allocate) {
    GgufWeight weight = weights.get(name);
    if (weight == null) {
      throw new InferenceException(
          ErrorCode.MISSING_TENSOR,
          "%s is not among the %d tensors of %s".formatted(name, weights.size(), path));
    }
    return made.computeIfAbsent(
        name,
        _ -> new CheckpointTensor(name, weight.dtype(), weight.shape(), bytes(weight, allocate)));
  }

  /** Forgets a tensor that was copied; it is copied again when it is asked for again. */
  public void forget(String name) {
    made.remove(name);
  }

  private MemorySegment bytes(GgufWeight weight, LongFunction<MemorySegment> allocate) {
    MemorySegment file = files.get(weight.file());
    if (file.byteSize() - weight.bytes() < weight.begin()) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          path + " has become shorter since it was opened; " + weight.stored() + " is cut off");
    }
    MemorySegment stored = file.asSlice(weight.begin(), weight.bytes());
    if (weight.rotated() > 0) {
      return inHalves(weight, stored, allocate.apply(weight.bytes()));
    }
    return weight.lessOne() ? lessOne(stored, allocate.apply(weight.bytes())) : stored;
  }

  /** Of each head, row 2i to row i and row 2i + 1 to row i of the second half. */
  private static MemorySegment inHalves(
      GgufWeight weight, MemorySegment stored, MemorySegment target) {
    long rows = weight.shape().getFirst();
    long row = rows == 0 ? 0 : weight.bytes() / rows;
    long width = rows / weight.rotated();
    for (long head = 0; head < rows; head += width) {
      for (long i = 0; i < width; i++) {
        long from = head + 2 * (i % (width / 2)) + i / (width / 2);
        MemorySegment.copy(stored, from * row, target, (head + i) * row, row);
      }
    }
    return target;
  }

  private static MemorySegment lessOne(MemorySegment stored, MemorySegment target) {
    for (long at = 0; at < stored.byteSize(); at += Float.BYTES) {
      target.set(FLOAT, at, stored.get(FLOAT, at) - 1);
    }
    return target;
  }
}
