package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.Value;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Norm;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns a program into launches of the kernels of {@code kernels/cuda/README.md}, whose parameters
 * are written here and in the compilers beside, once each. Entered threads only.
 */
final class ProgramCompiler {
  private final LaunchList list;
  private final Weights weights;
  private final StepInput input;
  private final ProductCompiler products;
  private final AttentionCompiler attention;
  private final MixCompiler mixtures;

  private ProgramCompiler(
      LaunchList list,
      Weights weights,
      StepInput input,
      ProductCompiler products,
      AttentionCompiler attention,
      MixCompiler mixtures) {
    this.list = list;
    this.weights = weights;
    this.input = input;
    this.products = products;
    this.attention = attention;
    this.mixtures = mixtures;
  }

  /**
   * What a program's launches refer to.
   *
   * @param blas products of a library; null: only ours
   * @param invariant whether a row is to be computed by the same kernels in every step
   * @param multiprocessors of the card
   */
  record Parts(
      KernelModules kernels,
      Weights weights,
      KvCache cache,
      StepInput input,
      @Nullable BlasUses blas,
      boolean invariant,
      int multiprocessors) {}

  /**
   * The launches of a program, in order.
   *
   * @param capacity rows that the list's activations are made for
   */
  static List<Work> compile(Program program, Parts parts, LaunchList list, int capacity) {
    if (parts.blas != null) {
      parts.blas.begin(program);
    }
    var compiler =
        new ProgramCompiler(
            list,
            parts.weights,
            parts.input,
            new ProductCompiler(list, parts, capacity),
            new AttentionCompiler(
                list, parts.weights, parts.cache, parts.input, capacity, parts.multiprocessors),
            new MixCompiler(list, parts.weights, capacity));
    compiler.add(program.instructions());
    return list.works();
  }

  private void add(List<Instruction> instructions) {
    for (int i = 0; i < instructions.size(); i++) {
      if (instructions.get(i) instanceof Instruction.Multiply product
          && i + 1 < instructions.size()
          && instructions.get(i + 1) instanceof Instruction.Gate gate
          && gate.gateUp().equals(product.out())) {
        add(product, gate);
        i++;
      } else {
        add(instructions.get(i));
      }
    }
  }

  /** A product that nobody but the gate after it reads. */
  private void add(Instruction.Multiply product, Instruction.Gate gate) {
    var apart =
        list.together(() -> {
          products.add(product);
          add(gate);
        });
    list.add(products.gated(product, gate, apart));
  }

  private void add(Instruction instruction) {
    switch (instruction) {
      case Instruction.Embed i -> embed(i);
      case Instruction.Normalise i -> norm(i.norm(), i.x(), i.out(), i.x().width());
      case Instruction.HeadNormalise i -> norm(i.norm(), i.x(), i.out(), i.headDim());
      case Instruction.AddNormalise i -> addNorm(i);
      case Instruction.Multiply i -> products.add(i);
      case Instruction.Attend i -> attention.add(i);
      case Instruction.Gate i -> {
        var launch = list.gate(list.suffix(i.out()), i.out().width(), StepSize::rows);
        launch.number(code(i.f()));
        list.value(list.value(launch, i.gateUp()), i.out()).number(i.out().width());
      }
      case Instruction.Activate i -> {
        var launch = list.elementwise("activate", i.out(), 6).number(code(i.f()));
        list.value(list.value(launch, i.x()), i.out()).number(i.out().width());
      }
      case Instruction.Add i -> {
        var launch = list.value(list.elementwise("add", i.out(), 7), i.a());
        list.value(list.value(launch, i.b()), i.out()).number(i.out().width());
      }
      case Instruction.Scale i -> scale("scale", i.x(), i.out(), i.by());
      case Instruction.SoftCap i -> scale("soft_cap", i.x(), i.out(), i.cap());
      case Instruction.Mix i -> mixtures.add(i);
    }
  }

  private void scale(String name, Value x, Value out, float by) {
    var launch = list.value(list.elementwise(name, out, 6), x);
    list.value(launch, out).number(out.width()).real(by);
  }

  /** The kernels' numbers of activation functions. */
  static int code(Activation f) {
    return switch (f) {
      case SILU -> 0;
      case GELU -> 1;
      case GELU_TANH -> 2;
      case RELU -> 3;
    };
  }

  private void embed(Instruction.Embed i) {
    var table = weights.table(i.table().table());
    var launch =
        list.launch(
                "embed_" + list.suffix(i.out()) + "_" + table.format(), LaunchList.THREADS, 0, 9)
            .grid(StepSize::rows, _ -> 1)
            .pointer(input.tokens());
    list.value(table.in(launch).pointer(table.order()), i.out()).number(i.out().width());
  }

  private void norm(NormWeights norm, Value x, Value out, int width) {
    int runs = x.width() / width;
    var launch =
        list.launch("norm_" + list.suffix(x), LaunchList.THREADS, 0, 9)
            .grid(StepSize::rows, _ -> runs);
    norm(list.value(list.value(launch, x), out), norm, width);
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
    var launch =
        list.launch("add_norm_" + list.suffix(i.x()), LaunchList.THREADS, 0, 11)
            .grid(StepSize::rows, _ -> 1);
    launch = list.value(list.value(list.value(launch, i.residual()), i.x()), i.out());
    norm(launch, i.norm(), i.x().width());
  }
}
