package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.Value;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Norm;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns a program into launches of the kernels of {@code kernels/cuda/README.md}, whose parameters
 * are written here once. Entered threads only.
 */
final class ProgramCompiler {
  private static final int THREADS = 256;
  private static final String F32 = "_f32";

  private final KernelModules kernels;
  private final Weights weights;
  private final KvCache cache;
  private final StepInput input;
  private final int capacity;
  private final Activations activations;
  private final Arena arena;
  private final List<Launch> launches = new ArrayList<>();

  private ProgramCompiler(
      KernelModules kernels,
      Weights weights,
      KvCache cache,
      StepInput input,
      Activations activations,
      int capacity,
      Arena arena) {
    this.kernels = kernels;
    this.weights = weights;
    this.cache = cache;
    this.input = input;
    this.activations = activations;
    this.capacity = capacity;
    this.arena = arena;
  }

  /**
   * The launches of a program, in order.
   *
   * @param capacity rows that the activations are made for
   * @param arena that the launches live in
   */
  static List<Launch> compile(
      Program program,
      KernelModules kernels,
      Weights weights,
      KvCache cache,
      StepInput input,
      Activations activations,
      int capacity,
      Arena arena) {
    var compiler =
        new ProgramCompiler(kernels, weights, cache, input, activations, capacity, arena);
    program.instructions().forEach(compiler::add);
    return List.copyOf(compiler.launches);
  }

  private void add(Instruction instruction) {
    switch (instruction) {
      case Instruction.Embed i -> embed(i);
      case Instruction.Normalise i -> norm(i.norm(), i.x(), i.out(), i.x().width());
      case Instruction.HeadNormalise i -> norm(i.norm(), i.x(), i.out(), i.headDim());
      case Instruction.AddNormalise i -> addNorm(i);
      case Instruction.Multiply i -> multiply(i.linear(), i.x(), i.out());
      case Instruction.Attend i -> attend(i);
      case Instruction.Gate i ->
          elementwise("gate_f32", i.out().width(), 6)
              .number(code(i.f()))
              .pointer(activations.address(i.gateUp()))
              .number(activations.stride(i.gateUp()))
              .pointer(activations.address(i.out()))
              .number(activations.stride(i.out()))
              .number(i.out().width());
      case Instruction.Activate i -> {
        var launch = elementwise("activate_f32", i.out().width(), 6).number(code(i.f()));
        value(value(launch, i.x()), i.out()).number(i.out().width());
      }
      case Instruction.Add i -> {
        var launch = value(elementwise("add_f32", i.out().width(), 7), i.a());
        value(value(launch, i.b()), i.out()).number(i.out().width());
      }
      case Instruction.Scale i -> scale("scale_f32", i.x(), i.out(), i.by());
      case Instruction.SoftCap i -> scale("soft_cap_f32", i.x(), i.out(), i.cap());
      case Instruction.Mix i -> mix(i);
    }
  }

  private Launch launch(String symbol, int threads, int shared, int parameters) {
    var launch = new Launch(kernels.function(symbol, shared), threads, shared, parameters, arena);
    launches.add(launch);
    return launch;
  }

  /** A launch over the numbers of rows. */
  private Launch elementwise(String symbol, int width, int parameters) {
    int blocks = Math.ceilDiv(width, THREADS);
    return launch(symbol, THREADS, 0, parameters).grid(rows -> rows, _ -> blocks);
  }

  private Launch value(Launch launch, Value value) {
    return launch.pointer(activations.address(value)).number(activations.stride(value));
  }

  private void scale(String symbol, Value x, Value out, float by) {
    value(value(elementwise(symbol, out.width(), 6), x), out).number(out.width()).real(by);
  }

  /** The kernels' numbers of activation functions. */
  private static int code(Activation f) {
    return switch (f) {
      case SILU -> 0;
      case GELU -> 1;
      case GELU_TANH -> 2;
      case RELU -> 3;
    };
  }

  private void embed(Instruction.Embed i) {
    var table = i.table().table();
    var launch =
        launch("embed_f32_" + PackedMatrix.of(table).format(), THREADS, 0, 8)
            .grid(rows -> rows, _ -> 1)
            .pointer(input.tokens());
    value(matrix(launch, table), i.out()).number(i.out().width());
  }

  /** Its four parameters. */
  private Launch matrix(Launch launch, QuantizedMatrix matrix) {
    long data = weights.data(matrix);
    var packed = PackedMatrix.of(matrix);
    return launch
        .pointer(data)
        .pointer(packed.scales() == 0 ? 0 : data + packed.scales())
        .pointer(packed.zeros() == 0 ? 0 : data + packed.zeros())
        .number(packed.group());
  }

  private void norm(NormWeights norm, Value x, Value out, int width) {
    int runs = x.width() / width;
    var launch = launch("norm_f32", THREADS, 0, 9).grid(rows -> rows, _ -> runs);
    norm(value(value(launch, x), out), norm, width);
  }

  private void norm(Launch launch, NormWeights norm, int width) {
    launch
        .number(width)
        .pointer(weights.numbers(norm.weight()))
        .pointer(weights.numbers(norm.bias()))
        .real(norm.eps())
        .number(norm.kind() == Norm.Kind.LAYER ? 1 : 0);
  }

  private void addNorm(Instruction.AddNormalise i) {
    var launch = launch("add_norm_f32", THREADS, 0, 11).grid(rows -> rows, _ -> 1);
    norm(value(value(value(launch, i.residual()), i.x()), i.out()), i.norm(), i.x().width());
  }

  private void multiply(MatrixLinear linear, Value x, Value out) {
    int first = 0;
    for (var part : linear.parts()) {
      int blocks = Math.ceilDiv(part.rows(), 4);
      var launch =
          launch("multiply_f32_" + PackedMatrix.of(part).format(), 128, 0, 12)
              .grid(_ -> blocks, rows -> Math.ceilDiv(rows, 8));
      matrix(value(launch, x), part)
          .pointer(weights.biasAt(linear, first))
          .pointer(activations.address(out) + (long) Float.BYTES * first)
          .number(activations.stride(out))
          .rows()
          .number(part.rows())
          .number(part.cols());
      first += part.rows();
    }
  }

  private void attend(Instruction.Attend i) {
    var attention = i.attention();
    var rope = attention.rope();
    int dim = attention.headDim();
    int heads = i.q().width() / dim;
    int kvHeads = i.k().width() / dim;
    var append =
        value(
                value(
                    value(
                        launch("append_f32_" + cache.suffix(), THREADS, 0, 22)
                            .grid(rows -> rows, _ -> 1),
                        i.q()),
                    i.k()),
                i.v())
            .pointer(activations.scratch())
            .number(heads)
            .number(kvHeads)
            .number(dim)
            .pointer(rope == null ? 0 : weights.frequencies(rope))
            .number(rope == null ? 0 : rope.inverseFrequencies().length)
            .real(rope == null ? 1 : rope.attentionFactor())
            .number(rope != null && rope.interleaved() ? 1 : 0);
    cache(append, i.layer());
    int shared = Float.BYTES * (2 * dim + 128);
    var attend =
        launch("attend_f32_" + cache.suffix(), 128, shared, 17)
            .grid(_ -> heads, rows -> rows)
            .pointer(activations.scratch())
            .number(heads)
            .number(kvHeads)
            .number(dim)
            .real(attention.scale())
            .number(attention.window())
            .real(attention.softCap());
    value(cache(attend, i.layer()), i.out());
  }

  /** The cache's six parameters, and whose rows they are for. */
  private Launch cache(Launch launch, int layer) {
    return launch
        .pointer(cache.keys(layer))
        .pointer(cache.values(layer))
        .pointer(cache.blockStride())
        .number(cache.blockSize())
        .pointer(input.tables())
        .number(input.tableStride())
        .pointer(input.positions())
        .pointer(input.sequences());
  }

  private void mix(Instruction.Mix i) {
    var scratch = Activations.MixScratch.of(i, activations.scratch(), capacity);
    var experts = i.experts();
    int chosen = i.routing().perToken();
    int count = experts.count();
    value(launch("route" + F32, 32, Float.BYTES * count, 7).grid(rows -> rows, _ -> 1), i.routed())
        .number(count)
        .number(chosen)
        .number(i.routing().normalise() ? 1 : 0)
        .pointer(scratch.chosen())
        .pointer(scratch.weights());
    int inner = experts.inner();
    long x = activations.address(i.x());
    experts(experts.gateUp(), x, activations.stride(i.x()), chosen, chosen, scratch, true);
    int blocks = Math.ceilDiv(inner, THREADS);
    launch("gate" + F32, THREADS, 0, 6)
        .grid(rows -> rows * chosen, _ -> blocks)
        .number(code(i.routing().activation()))
        .pointer(scratch.gateUp())
        .number(2 * inner)
        .pointer(scratch.gated())
        .number(inner)
        .number(inner);
    experts(experts.down(), scratch.gated(), inner, 1, chosen, scratch, false);
    value(
            elementwise("combine" + F32, i.out().width(), 7)
                .pointer(scratch.down())
                .number(experts.hidden())
                .pointer(scratch.weights())
                .number(chosen),
            i.out())
        .number(i.out().width());
  }

  private void experts(
      List<MatrixLinear> linears,
      long x,
      int stride,
      int share,
      int chosen,
      Activations.MixScratch scratch,
      boolean gateUp) {
    var first = linears.getFirst();
    int output = 0;
    for (int part = 0; part < first.parts().size(); part++) {
      var matrix = first.parts().get(part);
      var packed = PackedMatrix.of(matrix);
      int blocks = Math.ceilDiv(matrix.rows(), 4);
      launch("experts_f32_" + packed.format(), 128, 0, 10)
          .grid(_ -> blocks, rows -> rows * chosen)
          .pointer(x)
          .number(stride)
          .number(share)
          .pointer(weights.experts(linears, part))
          .number(packed.group())
          .pointer(scratch.chosen())
          .pointer((gateUp ? scratch.gateUp() : scratch.down()) + (long) Float.BYTES * output)
          .number(first.out())
          .number(matrix.rows())
          .number(matrix.cols());
      output += matrix.rows();
    }
  }
}
