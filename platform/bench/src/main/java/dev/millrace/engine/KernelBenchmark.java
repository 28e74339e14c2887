package dev.millrace.engine;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.kv.KvLease;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One kernel, on one thread: a step of {@code rows} sequences that decode a token. A method of the
 * Vector API that the compiler does not turn into instructions shows as a factor of fifty.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--enable-native-access=ALL-UNNAMED",
      "--add-exports=java.base/jdk.internal.module=ALL-UNNAMED",
      "-XX:CompileCommand=quiet",
      "-XX:CompileCommand=CompileThresholdScaling,dev.millrace.engine.device.cpu.Vector*::*,0.2"
    })
public class KernelBenchmark {
  private static final int WIDTH = 1024;
  private static final int OUTPUTS = 2048;
  private static final int HEADS = 8;
  private static final int KV_HEADS = 2;
  private static final int HEAD_DIM = 64;
  private static final int CONTEXT = 384;
  private static final int BLOCK_SIZE = 16;

  @Param({"vector", "avx512"})
  String kernels = "vector";

  /** An operation, or a format to multiply with. */
  @Param({"nothing", "attention", "gate", "f32", "bf16", "f16", "int8", "int4"})
  String work = "nothing";

  @Param({"1", "8"})
  int rows = 1;

  private final BatchBuilder batch = new BatchBuilder();
  private @Nullable Device device;
  private @Nullable DeviceModel model;

  /** Loads the model, and gives each sequence a context. */
  @Setup(Level.Trial)
  public void open() {
    device =
        kernels.equals("vector")
            ? new VectorDevice(1)
            : new NativeDevice(InstructionSet.valueOf(kernels.toUpperCase(Locale.ROOT)), 1);
    int blocks = rows * CONTEXT / BLOCK_SIZE;
    var layer = new KvLayer(KV_HEADS, HEAD_DIM, HEAD_DIM, 0);
    var spec = new ModelSpec(width(), width(), CONTEXT, List.of(layer));
    model = device.load(new Work(work), spec, new KvLayout(blocks, BLOCK_SIZE, KvDtype.FLOAT32));
    var pool = new BlockPool(blocks, BLOCK_SIZE);
    for (int row = 0; row < rows; row++) {
      var sequence = new Sequence(row, row, new int[CONTEXT], 1, 0, "", 0, Long.MAX_VALUE);
      sequence.enter(new KvLease(pool, null));
      sequence.attach();
      sequence.grow(CONTEXT, batch::copyBlock);
      sequence.advance(CONTEXT - 1);
      batch.add(sequence, 1, CONTEXT);
    }
  }

  private int width() {
    return switch (work) {
      case "nothing" -> (HEADS + 2 * KV_HEADS) * HEAD_DIM;
      case "attention" -> HEADS * HEAD_DIM;
      case "gate" -> WIDTH / 2;
      default -> OUTPUTS;
    };
  }

  @TearDown(Level.Trial)
  public void close() {
    if (model != null && device != null) {
      model.close();
      device.close();
    }
  }

  @Benchmark
  public void step() {
    if (model != null) {
      model.run(batch.batch());
    }
  }

  private record Work(String work) implements Model {
    @Override
    public Tensor hidden(Ops ops) {
      int q = HEADS * HEAD_DIM;
      int kv = KV_HEADS * HEAD_DIM;
      boolean narrow = work.equals("attention") || work.equals("nothing");
      var table = RandomMatrix.of(1, narrow ? q + 2 * kv : WIDTH, new DeviceFormat.F32());
      var x = ops.embed(new MatrixEmbedding("table", table));
      return switch (work) {
        case "nothing" -> x;
        case "attention" -> {
          var parts = ops.split(x, q, kv, kv);
          var attention = new Attention(HEAD_DIM, 0.125f, 0, 0, null);
          yield ops.attention(0, parts.get(0), parts.get(1), parts.get(2), attention);
        }
        case "gate" -> ops.gated(Activation.SILU, x);
        default ->
            MatrixLinear.withoutBias("w", List.of(RandomMatrix.of(OUTPUTS, WIDTH, format())))
                .apply(x, ops);
      };
    }

    private DeviceFormat format() {
      return switch (work) {
        case "f32" -> new DeviceFormat.F32();
        case "bf16" -> new DeviceFormat.Bf16();
        case "f16" -> new DeviceFormat.F16();
        case "int8" -> new DeviceFormat.Int8(0);
        case "int4" -> new DeviceFormat.Int4(32, false, ScaleType.F16);
        default -> throw new IllegalArgumentException(work);
      };
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return rows;
    }
  }
}
