package dev.millrace.engine.quantize;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.cpu.ObservedPass;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Quantizes linear after linear while a text goes through the model: what each is given comes from
 * those before it as they are quantized.
 */
final class CalibratedRounding implements ObservedPass.Observer {
  private final QuantizeSettings settings;
  private final QuantizePlan plan;
  private final Program body;
  private final BiConsumer<Weight, GroupedCodes> done;

  private final NormDivision norms;

  /** Parts whose rows a later linear may have divided, once they are quantized. */
  private final IdentityHashMap<QuantizedMatrix, GroupedCodes> divisible = new IdentityHashMap<>();

  private final Set<QuantizedMatrix> wanted = new HashSet<>();

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
      }
    }
  }

  @Override
  public void multiplies(
      Instruction.Multiply instruction, ObservedPass.Input x, Consumer<MatrixLinear> multiply) {
    var linear = instruction.linear();
    if (!plan.has(linear)) {
      multiply.accept(linear);
      return;
    }
    var parts = linear.parts().stream().map(plan::weight).toList();
    float[] divisors = new float[x.width()];
    Arrays.fill(divisors, 1);
    var codes =
        settings.format() == QuantizedFormat.GPTQ
            ? gptq(parts, x)
            : awq(instruction, parts, x, divisors);
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
      Instruction.Multiply instruction,
      List<Weight> parts,
      ObservedPass.Input x,
      float[] divisors) {
    var rounding = new AwqRounding(settings.group(), settings.format().bits(), plan.stored());
    var inputs = InputSample.of(x);
    var values = parts.stream().map(Weight::values).toList();
    InputMaker.of(instruction, body)
        .ifPresent(maker -> {
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
