package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixExperts;
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
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * All constants of a model's programs in device memory, each once: matrices as they are packed,
 * vectors, frequencies, tables of experts. Entered threads only.
 */
final class Weights implements Owned.Closing {
  private final IdentityHashMap<Object, Memory> held = new IdentityHashMap<>();
  private final IdentityHashMap<List<MatrixLinear>, List<Memory>> experts = new IdentityHashMap<>();
  private final List<Memory> tables = new ArrayList<>();

  /** Uploads what the programs refer to. */
  Weights(List<Program> programs) {
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
        add(i.experts().gateUp());
        add(i.experts().down());
      }
      case Instruction.Gate _,
          Instruction.Activate _,
          Instruction.Add _,
          Instruction.Scale _,
          Instruction.SoftCap _ -> {}
    }
  }

  private void add(MatrixLinear linear) {
    linear.parts().forEach(this::add);
    add(linear.bias());
  }

  private void add(NormWeights norm) {
    add(norm.weight());
    add(norm.bias());
  }

  private void add(@Nullable Rope rope) {
    if (rope != null) {
      add(rope, rope.inverseFrequencies());
    }
  }

  private void add(float @Nullable [] numbers) {
    if (numbers != null) {
      add(numbers, numbers);
    }
  }

  private void add(Object key, float[] numbers) {
    try (var arena = Arena.ofConfined()) {
      put(key, arena.allocateFrom(JAVA_FLOAT, numbers));
    }
  }

  private void add(QuantizedMatrix matrix) {
    if (held.containsKey(matrix)) {
      return;
    }
    var form = PackedMatrix.of(matrix);
    try (var arena = Arena.ofConfined()) {
      if (form.decoded()) {
        put(matrix, decoded(matrix, arena.allocate(form.bytes())));
        return;
      }
      var packed = matrix.packed().asSlice(0, form.bytes());
      put(matrix, packed.isNative() ? packed : arena.allocate(packed.byteSize()).copyFrom(packed));
    }
  }

  private static MemorySegment decoded(QuantizedMatrix matrix, MemorySegment out) {
    float[] row = new float[matrix.cols()];
    long bytes = (long) Float.BYTES * row.length;
    for (int r = 0; r < matrix.rows(); r++) {
      matrix.decodeRow(r, row);
      MemorySegment.copy(row, 0, out, JAVA_FLOAT, r * bytes, row.length);
    }
    return out;
  }

  private void put(Object key, MemorySegment content) {
    if (!held.containsKey(key)) {
      var memory = new Memory(content.byteSize(), "the weights");
      held.put(key, memory);
      memory.upload(content, 0);
    }
  }

  /** Uploads the experts' matrices, and for each of their parts a table of where they lie. */
  private void add(List<MatrixLinear> linears) {
    linears.forEach(this::add);
    var first = linears.getFirst();
    var parts = new ArrayList<Memory>();
    experts.put(linears, parts);
    int row = 0;
    for (int part = 0; part < first.parts().size(); part++) {
      try (var arena = Arena.ofConfined()) {
        var table = arena.allocate(JAVA_LONG, 4L * linears.size());
        for (int i = 0; i < linears.size(); i++) {
          var matrix = linears.get(i).parts().get(part);
          requireLike(first.parts().get(part), matrix, linears.get(i).name());
          fill(table, i, matrix, biasAt(linears.get(i), row));
        }
        var memory = new Memory(table.byteSize(), "the table of experts");
        tables.add(memory);
        parts.add(memory);
        memory.upload(table, 0);
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

  private void fill(MemorySegment table, int expert, QuantizedMatrix matrix, long bias) {
    long data = data(matrix);
    var packed = PackedMatrix.of(matrix);
    table.setAtIndex(JAVA_LONG, 4L * expert, data);
    table.setAtIndex(JAVA_LONG, 4L * expert + 1, packed.scales() == 0 ? 0 : data + packed.scales());
    table.setAtIndex(JAVA_LONG, 4L * expert + 2, packed.zeros() == 0 ? 0 : data + packed.zeros());
    table.setAtIndex(JAVA_LONG, 4L * expert + 3, bias);
  }

  /** Address of a matrix. */
  long data(QuantizedMatrix matrix) {
    return address(matrix);
  }

  /** Address of numbers; 0 for none. */
  long numbers(float @Nullable [] numbers) {
    return numbers == null ? 0 : address(numbers);
  }

  /** Address of the bias from a row on; 0 if there is none. */
  long biasAt(MatrixLinear linear, int row) {
    return linear.bias() == null ? 0 : address(linear.bias()) + (long) Float.BYTES * row;
  }

  long frequencies(Rope rope) {
    return address(rope);
  }

  /** Address of the table of one part of each expert. */
  long experts(List<MatrixLinear> linears, int part) {
    return Objects.requireNonNull(experts.get(linears)).get(part).address();
  }

  private long address(Object key) {
    return Objects.requireNonNull(held.get(key), "uploaded when the model was loaded").address();
  }

  /** Bytes that the constants of programs take, without uploading them. */
  static long bytes(List<Program> programs) {
    var seen = new IdentityHashMap<Object, Long>();
    for (var program : programs) {
      for (var instruction : program.instructions()) {
        switch (instruction) {
          case Instruction.Embed i -> count(seen, i.table().table());
          case Instruction.Multiply i -> i.linear().parts().forEach(part -> count(seen, part));
          case Instruction.Mix i -> count(seen, i.experts());
          case Instruction.Normalise _,
              Instruction.AddNormalise _,
              Instruction.HeadNormalise _,
              Instruction.Attend _,
              Instruction.Gate _,
              Instruction.Activate _,
              Instruction.Add _,
              Instruction.Scale _,
              Instruction.SoftCap _ -> {} // small
        }
      }
    }
    return seen.values().stream().mapToLong(Long::longValue).sum();
  }

  private static void count(IdentityHashMap<Object, Long> seen, MatrixExperts experts) {
    experts.gateUp().forEach(linear -> linear.parts().forEach(part -> count(seen, part)));
    experts.down().forEach(linear -> linear.parts().forEach(part -> count(seen, part)));
  }

  private static void count(IdentityHashMap<Object, Long> seen, QuantizedMatrix matrix) {
    seen.put(matrix, PackedMatrix.of(matrix).bytes());
  }

  @Override
  public void close() {
    held.values().forEach(Memory::close);
    tables.forEach(Memory::close);
  }
}
