package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/**
 * Runs the body of a model once, over whole sequences together, one instruction after the other,
 * and lets an observer see what each linear is given before it is multiplied with. Used by one
 * thread.
 */
public final class ObservedPass {
  private static final int BLOCK_SIZE = 16;

  /** Tokens that are multiplied with one another at a time. */
  private static final int TOGETHER = 1024;

  /** Looks at what goes into a linear. */
  public interface Observer {
    /**
     * Called for each linear in the order of the program, but for those of experts.
     *
     * @param x valid until this returns
     * @param multiply to be called once, with the linear to multiply with: the instruction's own,
     *     or one of the same shape
     */
    void multiplies(Instruction.Multiply instruction, Input x, Consumer<MatrixLinear> multiply);

    /**
     * Called for both linears of each expert, gate and up first.
     *
     * @param x rows of the tokens that are routed to it; there may be none
     * @param multiply as above
     */
    void expert(MatrixLinear linear, Input x, Consumer<MatrixLinear> multiply);

    /**
     * Called at the end.
     *
     * @param hidden what the head is given for each token
     */
    void ends(Input hidden);
  }

  private final Workers workers;
  private final Kernels kernels;

  private ObservedPass(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
  }

  /** The inputs of one linear: a row for each token of all sequences. */
  public final class Input {
    private final Rows rows;
    private final int count;

    private Input(Rows rows, int count) {
      this.rows = rows;
      this.count = count;
    }

    public int rows() {
      return count;
    }

    public int width() {
      return rows.width();
    }

    /** Copies a row. */
    public void read(int row, float[] out) {
      rows.read(row, 0, out, width());
    }

    /** Adds {@code Xᵀ X} to a matrix [width, width], all of it; sums are F32 over 1,024 rows. */
    public void addGram(double[][] sum) {
      int width = width();
      try (var arena = Arena.ofShared()) {
        var turned = arena.allocate(JAVA_FLOAT, (long) width * TOGETHER);
        var product = arena.allocate(JAVA_FLOAT, (long) width * width);
        for (int first = 0; first < count; first += TOGETHER) {
          int tokens = Math.min(TOGETHER, count - first);
          turn(first, tokens, turned);
          var linear = MatrixLinear.withoutBias("gram", List.of(new Turned(width, tokens, turned)));
          var x = new Rows(turned, 0, tokens, tokens);
          kernels.multiply(linear, x, new Rows(product, 0, width, width), width);
          add(product, sum);
        }
      }
    }

    private void turn(int first, int tokens, MemorySegment out) {
      float[] row = new float[width()];
      for (int t = 0; t < tokens; t++) {
        read(first + t, row);
        for (int i = 0; i < row.length; i++) {
          out.setAtIndex(JAVA_FLOAT, (long) i * tokens + t, row[i]);
        }
      }
    }

    private void add(MemorySegment product, double[][] sum) {
      int width = width();
      workers.run(
          width,
          (row, _) -> {
            double[] to = sum[row];
            for (int i = 0; i < width; i++) {
              to[i] += product.getAtIndex(JAVA_FLOAT, (long) row * width + i);
            }
          });
    }
  }

  /** Inputs as a matrix: a row for each number, a column for each token. */
  private record Turned(int rows, int cols, MemorySegment packed) implements QuantizedMatrix {
    @Override
    public DeviceFormat format() {
      return new DeviceFormat.F32();
    }

    @Override
    public void decodeRow(int row, float[] out) {
      MemorySegment.copy(packed, JAVA_FLOAT, 4L * row * cols, out, 0, cols);
    }
  }

  /**
   * Runs a pass.
   *
   * @param device one of the CPU's
   * @param sequences token ids of each, at least one
   */
  public static void run(
      Device device, Program body, ModelSpec spec, List<int[]> sequences, Observer observer) {
    if (!(device instanceof CpuDevice cpu)) {
      throw new IllegalArgumentException(device.name() + " lets nobody look at activations");
    }
    var batch = new BatchBuilder();
    int blocks = 0;
    for (int[] tokens : sequences) {
      int[] table = new int[Math.ceilDiv(tokens.length, BLOCK_SIZE)];
      for (int i = 0; i < table.length; i++) {
        table[i] = blocks++;
      }
      batch.addWhole(tokens, table, false);
    }
    var layout = new KvLayout(blocks, BLOCK_SIZE, KvDtype.FLOAT32);
    try (var kv = new PagedKv(spec, layout);
        var kernels = cpu.kernels(body, body, kv, cpu.workers());
        var buffers = new Buffers(body, Integer.MAX_VALUE)) {
      new ObservedPass(kernels, cpu.workers()).run(body, buffers, batch, observer);
    }
  }

  private void run(Program body, Buffers buffers, BatchBuilder builder, Observer observer) {
    var batch = builder.batch();
    int rows = batch.rows();
    buffers.ensure(rows);
    kernels.begin(batch);
    for (var instruction : body.instructions()) {
      if (instruction instanceof Instruction.Multiply multiply) {
        var x = buffers.rows(multiply.x());
        var out = buffers.rows(multiply.out());
        observer.multiplies(
            multiply, new Input(x, rows), linear -> kernels.multiply(linear, x, out, rows));
      } else if (instruction instanceof Instruction.Mix mix) {
        ObservedMixture.run(this, mix, buffers, rows, observer);
      } else {
        kernels.execute(instruction, buffers, batch, rows);
      }
    }
    observer.ends(new Input(buffers.rows(body.output()), rows));
  }

  /** Shows what a linear of an expert is given, and multiplies. */
  void show(MatrixLinear of, Rows x, Rows out, int rows, Observer observer) {
    observer.expert(
        of,
        new Input(x, rows),
        linear -> {
          if (rows > 0) {
            kernels.multiply(linear, x, out, rows);
          }
        });
  }
}
