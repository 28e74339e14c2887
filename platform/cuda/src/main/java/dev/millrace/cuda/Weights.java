package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.engine.device.Bfloat16;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Rope;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * All constants of a model's programs in device memory, each once: matrices, vectors, frequencies,
 * tables of experts. Parts of a linear that are alike lie there as one matrix. Entered threads
 * only.
 */
final class Weights implements Owned.Closing {
  /** What kernels are told of a matrix of an expert. */
  private static final int EXPERT_POINTERS = 5;

  private final Precision precision;
  private final IdentityHashMap<QuantizedMatrix, MatrixUpload> matrices = new IdentityHashMap<>();
  private final IdentityHashMap<MatrixLinear, List<MatrixUpload>> linears = new IdentityHashMap<>();
  private final IdentityHashMap<Object, Memory> vectors = new IdentityHashMap<>();
  private final IdentityHashMap<Object, Memory> narrow = new IdentityHashMap<>();
  private final IdentityHashMap<List<MatrixLinear>, List<Memory>> experts = new IdentityHashMap<>();
  private final Owned owned = new Owned();

  /**
   * Uploads what the programs refer to.
   *
   * @param precision of matrices that no kernel reads in their own form
   */
  Weights(List<Program> programs, Precision precision) {
    this.precision = precision;
    try {
      for (var program : programs) {
        program.instructions().forEach(this::add);
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void add(Instruction instruction) {
    switch (instruction) {
      case Instruction.Embed i -> add(i.table().table());
      case Instruction.Multiply i -> add(i.linear());
      case Instruction.Normalise i -> add(i.norm());
      case Instruction.AddNormalise i -> add(i.norm());
      case Instruction.HeadNormalise i -> add(i.norm());
      case Instruction.Attend i -> add(i.attention().rope());
      case Instruction.Mix i -> {
        addExperts(i.experts().gateUp());
        addExperts(i.experts().down());
      }
      case Instruction.Gate _,
          Instruction.Activate _,
          Instruction.Add _,
          Instruction.Scale _,
          Instruction.SoftCap _ -> {}
    }
  }

  private void add(MatrixLinear linear) {
    if (linears.containsKey(linear)) {
      return;
    }
    if (areAlike(linear.parts(), precision)) {
      var merged = owned.add(new MatrixUpload(linear.parts(), precision));
      linears.put(linear, List.of(merged));
    } else {
      linears.put(linear, linear.parts().stream().map(this::add).toList());
    }
    addVector(linear.bias());
    addNarrow(linear.bias());
  }

  /** A bias once more in BF16, for products that add it in the type of their result. */
  private void addNarrow(float @Nullable [] bias) {
    if (bias == null || precision == Precision.FLOAT32 || narrow.containsKey(bias)) {
      return;
    }
    try (var arena = Arena.ofConfined()) {
      var numbers = arena.allocate(JAVA_SHORT, bias.length);
      for (int i = 0; i < bias.length; i++) {
        numbers.setAtIndex(JAVA_SHORT, i, Bfloat16.of(bias[i]));
      }
      narrow.put(bias, upload(numbers, "the weights"));
    }
  }

  /** Whether there are several parts, and kernels can take them for one matrix. */
  private static boolean areAlike(List<QuantizedMatrix> parts, Precision precision) {
    var first = PackedMatrix.of(parts.getFirst(), precision);
    int[] order = parts.getFirst().inputOrder();
    return parts.size() > 1
        && parts.stream()
            .allMatch(part ->
                first.isLike(PackedMatrix.of(part, precision))
                    && Arrays.equals(order, part.inputOrder()));
  }

  private MatrixUpload add(QuantizedMatrix matrix) {
    var have = matrices.get(matrix);
    if (have == null) {
      have = owned.add(new MatrixUpload(List.of(matrix), precision));
      matrices.put(matrix, have);
    }
    return have;
  }

  private void add(NormWeights norm) {
    addVector(norm.weight());
    addVector(norm.bias());
  }

  private void add(@Nullable Rope rope) {
    if (rope != null) {
      addVector(rope, rope.inverseFrequencies());
    }
  }

  private void addVector(float @Nullable [] numbers) {
    if (numbers != null) {
      addVector(numbers, numbers);
    }
  }

  private void addVector(Object key, float[] numbers) {
    if (!vectors.containsKey(key)) {
      try (var arena = Arena.ofConfined()) {
        vectors.put(key, upload(arena.allocateFrom(JAVA_FLOAT, numbers), "the weights"));
      }
    }
  }

  private Memory upload(MemorySegment content, String what) {
    var memory = new Memory(content.byteSize(), what);
    owned.onClose(memory::close);
    memory.upload(content, 0);
    return memory;
  }

  /** Uploads the experts' matrices, and for each of their parts a table of where they lie. */
  private void addExperts(List<MatrixLinear> linears) {
    var first = linears.getFirst();
    for (var linear : linears) {
      linear.parts().forEach(this::add);
      addVector(linear.bias());
    }
    var parts = new ArrayList<Memory>();
    experts.put(linears, parts);
    int row = 0;
    for (int part = 0; part < first.parts().size(); part++) {
      try (var arena = Arena.ofConfined()) {
        var table = arena.allocate(JAVA_LONG, (long) EXPERT_POINTERS * linears.size());
        for (int i = 0; i < linears.size(); i++) {
          var matrix = linears.get(i).parts().get(part);
          requireLike(first.parts().get(part), matrix, linears.get(i).name());
          fill(table, i, add(matrix).matrix(), biasAt(linears.get(i), row));
        }
        parts.add(upload(table, "the table of experts"));
      }
      row += first.parts().get(part).rows();
    }
  }

  private static void requireLike(QuantizedMatrix first, QuantizedMatrix matrix, String name) {
    if (!first.format().equals(matrix.format()) || first.rows() != matrix.rows()) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "%s is %s, the first expert of its layer is %s; on a GPU they must be alike"
              .formatted(name, matrix.format(), first.format()));
    }
  }

  private static void fill(MemorySegment table, int expert, DeviceMatrix matrix, long bias) {
    long at = (long) EXPERT_POINTERS * expert;
    table.setAtIndex(JAVA_LONG, at, matrix.data());
    table.setAtIndex(JAVA_LONG, at + 1, matrix.scales());
    table.setAtIndex(JAVA_LONG, at + 2, matrix.zeros());
    table.setAtIndex(JAVA_LONG, at + 3, bias);
    table.setAtIndex(JAVA_LONG, at + 4, matrix.order());
  }

  /** A token table. */
  DeviceMatrix table(QuantizedMatrix matrix) {
    return Objects.requireNonNull(matrices.get(matrix)).matrix();
  }

  /** A linear's matrices, whose rows follow one another in its output. */
  List<DeviceMatrix> linear(MatrixLinear linear) {
    return Objects.requireNonNull(linears.get(linear)).stream().map(MatrixUpload::matrix).toList();
  }

  /** One part of the first of some experts, which the others are like. */
  DeviceMatrix expert(MatrixLinear first, int part) {
    return table(first.parts().get(part));
  }

  /** Address of numbers; 0 for none. */
  long numbers(float @Nullable [] numbers) {
    return numbers == null ? 0 : vector(numbers);
  }

  /** Address of the bias from a row on; 0 if there is none. */
  long biasAt(MatrixLinear linear, int row) {
    return linear.bias() == null ? 0 : vector(linear.bias()) + (long) Float.BYTES * row;
  }

  /** The same in BF16; 0 if there is none. */
  long narrowBiasAt(MatrixLinear linear, int row) {
    var memory = linear.bias() == null ? null : narrow.get(linear.bias());
    return memory == null ? 0 : memory.address() + (long) Short.BYTES * row;
  }

  long frequencies(Rope rope) {
    return vector(rope);
  }

  /** Address of the table of one part of each expert. */
  long experts(List<MatrixLinear> linears, int part) {
    return Objects.requireNonNull(experts.get(linears)).get(part).address();
  }

  private long vector(Object key) {
    return Objects.requireNonNull(vectors.get(key), "uploaded when the model was loaded").address();
  }

  /** Bytes that the matrices of programs take, without uploading them; the rest is small. */
  static long bytes(List<Program> programs, Precision precision) {
    var seen = new IdentityHashMap<QuantizedMatrix, Long>();
    for (var program : programs) {
      for (var linear : program.linears()) {
        count(seen, linear.parts(), precision);
      }
    }
    for (var program : programs) {
      for (var instruction : program.instructions()) {
        switch (instruction) {
          case Instruction.Embed i -> count(seen, List.of(i.table().table()), precision);
          case Instruction.Mix i -> {
            i.experts().gateUp().forEach(linear -> count(seen, linear.parts(), precision));
            i.experts().down().forEach(linear -> count(seen, linear.parts(), precision));
          }
          default -> {}
        }
      }
    }
    return seen.values().stream().mapToLong(Long::longValue).sum();
  }

  private static void count(
      IdentityHashMap<QuantizedMatrix, Long> seen,
      List<QuantizedMatrix> matrices,
      Precision precision) {
    matrices.forEach(m -> seen.put(m, PackedMatrix.of(m, precision).bytes()));
  }

  @Override
  public void close() {
    owned.close();
  }
}
