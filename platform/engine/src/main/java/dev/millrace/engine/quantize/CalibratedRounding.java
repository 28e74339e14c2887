package dev.millrace.engine.quantize;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixExperts;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.cpu.ObservedPass;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Quantizes linear after linear while a text goes through the model: what each is given comes from
 * those before it as they are quantized.
 */
final class CalibratedRounding implements ObservedPass.Observer {
  /** What an expert must see of the text; fewer tokens say more of themselves than of the rest. */
  static final int FEWEST_TOKENS = 64;

  private final QuantizeSettings settings;
  private final QuantizePlan plan;
  private final Program body;
  private final BiConsumer<Weight, GroupedCodes> done;

  private final NormDivision norms;

  /** Parts whose rows a later linear may have divided, once they are quantized. */
  private final IdentityHashMap<QuantizedMatrix, GroupedCodes> divisible = new IdentityHashMap<>();

  private final Set<QuantizedMatrix> wanted = new HashSet<>();

  /** What gives the second linear of an expert its input. */
  private final IdentityHashMap<MatrixLinear, InputMaker> expertInputs = new IdentityHashMap<>();

  private final Set<String> rounded = new LinkedHashSet<>();

  /**
   * Quantizes what is planned.
   *
   * @param norms that give less where columns are multiplied
   * @param done takes a matrix that is ready, and once more if its scales change
   */
  CalibratedRounding(
      QuantizeSettings settings,
      QuantizePlan plan,
      Program body,
      NormDivision norms,
      BiConsumer<Weight, GroupedCodes> done) {
    this.settings = settings;
    this.plan = plan;
    this.body = body;
    this.norms = norms;
    this.done = done;
    for (var instruction : body.instructions()) {
      if (instruction instanceof Instruction.Multiply multiply
          && InputMaker.of(multiply, body).orElse(null) instanceof InputMaker.OfRows(var part)) {
        wanted.add(part);
      } else if (instruction instanceof Instruction.Mix mix) {
        lookAt(mix.experts());
      }
    }
  }

  /** What comes down is proportional to the rows of an up that is a matrix of its own. */
  private void lookAt(MatrixExperts experts) {
    for (int i = 0; i < experts.count(); i++) {
      var gateUp = experts.gateUp().get(i);
      if (gateUp.parts().size() == 2 && gateUp.bias() == null) {
        var up = gateUp.parts().getLast();
        wanted.add(up);
        expertInputs.put(experts.down().get(i), new InputMaker.OfRows(up));
      }
    }
  }

  /** Experts that saw too few tokens, whose weights were rounded to nearest; in order. */
  Set<String> rounded() {
    return rounded;
  }

  @Override
  public void multiplies(
      Instruction.Multiply instruction, ObservedPass.Input x, Consumer<MatrixLinear> multiply) {
    var linear = instruction.linear();
    if (plan.has(linear)) {
      calibrate(linear, x, InputMaker.of(instruction, body), multiply);
    } else {
      multiply.accept(linear);
    }
  }

  @Override
  public void expert(MatrixLinear linear, ObservedPass.Input x, Consumer<MatrixLinear> multiply) {
    if (x.rows() >= FEWEST_TOKENS) {
      calibrate(linear, x, Optional.ofNullable(expertInputs.get(linear)), multiply);
      return;
    }
    var parts = linear.parts().stream().map(plan::weight).toList();
    String module = parts.getFirst().module();
    rounded.add(module.substring(0, module.lastIndexOf('.')));
    var format = settings.format();
    var codes =
        parts.stream()
            .map(weight ->
                NearestRounding.round(
                    weight.values(),
                    settings.group(),
                    format.bits(),
                    format.symmetric(),
                    plan.stored()))
            .toList();
    finish(linear, parts, codes, ones(linear.in()), multiply);
  }

  @Override
  public void ends(ObservedPass.Input hidden) {
    plan.head()
        .ifPresent(head -> {
          var parts = List.of(head);
          var codes =
              settings.format() == QuantizedFormat.GPTQ
                  ? gptq(parts, hidden)
                  : awq(parts, hidden, Optional.empty(), ones(hidden.width()));
          done.accept(head, codes.getFirst());
        });
  }

  private void calibrate(
      MatrixLinear linear,
      ObservedPass.Input x,
      Optional<InputMaker> maker,
      Consumer<MatrixLinear> multiply) {
    var parts = linear.parts().stream().map(plan::weight).toList();
    float[] divisors = ones(x.width());
    var codes =
        settings.format() == QuantizedFormat.GPTQ ? gptq(parts, x) : awq(parts, x, maker, divisors);
    finish(linear, parts, codes, divisors, multiply);
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  /** Hands a linear on, and multiplies with what has become of it. */
  private void finish(
      MatrixLinear linear,
      List<Weight> parts,
      List<GroupedCodes> codes,
      float[] divisors,
      Consumer<MatrixLinear> multiply) {
    try (var arena = Arena.ofShared()) {
      var rounded = new ArrayList<QuantizedMatrix>();
      for (int i = 0; i < parts.size(); i++) {
        done.accept(parts.get(i), codes.get(i));
        if (wanted.contains(parts.get(i).matrix())) {
          divisible.put(parts.get(i).matrix(), codes.get(i));
        }
        rounded.add(FloatRows.of(codes.get(i), divisors, arena));
      }
      multiply.accept(new MatrixLinear(linear.name(), rounded, linear.bias()));
    }
  }

  private List<GroupedCodes> gptq(List<Weight> parts, ObservedPass.Input x) {
    var rounding =
        new GptqRounding(
            settings.group(),
            settings.format().bits(),
            settings.damping(),
            settings.actOrder(),
            plan.stored());
    double[][] gram = new double[x.width()][x.width()];
    x.addGram(gram);
    var inputs = rounding.inputs(parts.getFirst().module(), gram);
    return parts.stream().map(weight -> rounding.round(weight.values(), inputs)).toList();
  }

  /** Leaves in {@code divisors} what the columns were multiplied with. */
  private List<GroupedCodes> awq(
      List<Weight> parts, ObservedPass.Input x, Optional<InputMaker> giver, float[] divisors) {
    var rounding = new AwqRounding(settings.group(), settings.format().bits(), plan.stored());
    var inputs = InputSample.of(x);
    var values = parts.stream().map(Weight::values).toList();
    giver.ifPresent(maker -> {
      float[] scales = rounding.scales(values, inputs);
      if (divide(maker, scales)) {
        System.arraycopy(scales, 0, divisors, 0, scales.length);
      }
    });
    var codes = new ArrayList<GroupedCodes>();
    for (int i = 0; i < values.size(); i++) {
      boolean narrows = !feedsScores(parts.get(i).module());
      codes.add(rounding.round(values.get(i), divisors, inputs, narrows));
    }
    return codes;
  }

  /**
   * Queries and keys meet in a product, where a narrower range does more harm than is seen here.
   */
  private static boolean feedsScores(String module) {
    String name = module.substring(module.lastIndexOf('.') + 1);
    return name.startsWith("q_")
        || name.startsWith("k_")
        || name.contains("qkv")
        || name.equals("c_attn");
  }

  /** Has what makes an input make it smaller; false if it cannot. */
  private boolean divide(InputMaker maker, float[] scales) {
    return switch (maker) {
      case InputMaker.OfNorm(var norm) -> norms.divide(norm, scales);
      case InputMaker.OfRows(var part) -> divideRows(part, scales);
    };
  }

  private boolean divideRows(QuantizedMatrix part, float[] by) {
    var codes = divisible.remove(part);
    if (codes == null) {
      return false;
    }
    for (int row = 0; row < by.length; row++) {
      codes.divide(row, by[row], plan.stored());
    }
    done.accept(plan.weight(part), codes);
    return true;
  }
}
