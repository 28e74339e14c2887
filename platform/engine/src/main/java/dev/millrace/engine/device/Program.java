package dev.millrace.engine.device;

import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A recorded forward pass: instructions in order, without branches. Slots are virtual; {@link
 * SlotPlan} says which of them share memory.
 *
 * @param instructions in order
 * @param slotWidths numbers per row of each slot
 * @param input what the engine fills in before it runs; of width 0 if there is none
 * @param output what it reads afterwards
 */
public record Program(List<Instruction> instructions, int[] slotWidths, Value input, Value output) {
  public Program {
    instructions = List.copyOf(instructions);
  }

  /**
   * Records the body of a model.
   *
   * @throws InferenceException {@code INVALID_PLUGIN} if it is not what the plugin described
   */
  public static Program hidden(Model model, ModelSpec spec) {
    var program = record(model::hidden);
    requireWidth("hidden", program.output(), spec.hidden());
    for (var instruction : program.instructions()) {
      if (instruction instanceof Instruction.Attend attend) {
        requireLayer(attend, spec.layers());
      }
    }
    return program;
  }

  /**
   * Records the head of a model.
   *
   * @throws InferenceException {@code INVALID_PLUGIN} if it is not what the plugin described
   */
  public static Program head(Model model, ModelSpec spec) {
    var program = record(spec.hidden(), model::logits);
    requireWidth("logits", program.output(), spec.vocabulary());
    for (var instruction : program.instructions()) {
      // its rows are picked ones, not the step's tokens
      if (instruction instanceof Instruction.Attend || instruction instanceof Instruction.Embed) {
        throw Recorder.wrong("the head embeds tokens or attends");
      }
    }
    return program;
  }

  /** Records a pass that starts from the step's tokens. */
  public static Program record(Function<Ops, Tensor> pass) {
    var recorder = new Recorder();
    var output = recorder.value(pass.apply(recorder));
    return recorder.program(new Value(0, 0, 0), output);
  }

  /** Records a pass that starts from rows of the given width. */
  public static Program record(int inputWidth, BiFunction<Tensor, Ops, Tensor> pass) {
    var recorder = new Recorder();
    var input = recorder.newSlot(inputWidth);
    var output = recorder.value(pass.apply(input, recorder));
    return recorder.program(input, output);
  }

  /** Every linear that is multiplied with, those of experts included, in no order of use. */
  public List<MatrixLinear> linears() {
    var linears = new ArrayList<MatrixLinear>();
    for (var instruction : instructions) {
      if (instruction instanceof Instruction.Multiply multiply) {
        linears.add(multiply.linear());
      } else if (instruction instanceof Instruction.Mix mix) {
        linears.addAll(mix.experts().gateUp());
        linears.addAll(mix.experts().down());
      }
    }
    return linears;
  }

  /** Whether a matrix, or a token table, has numbers finer than BF16: F32 or F16. */
  public boolean finerThanBfloat16() {
    var tables =
        instructions.stream()
            .filter(Instruction.Embed.class::isInstance)
            .map(embed -> ((Instruction.Embed) embed).table().table());
    var parts = linears().stream().flatMap(linear -> linear.parts().stream());
    return Stream.concat(tables, parts)
        .map(QuantizedMatrix::format)
        .anyMatch(
            format -> format instanceof DeviceFormat.F32 || format instanceof DeviceFormat.F16);
  }

  /** The linears whose results choose experts. */
  public List<MatrixLinear> routers() {
    var routed = new HashSet<Value>();
    for (var instruction : instructions) {
      if (instruction instanceof Instruction.Mix mix) {
        routed.add(mix.routed());
      }
    }
    var routers = new ArrayList<MatrixLinear>();
    for (var instruction : instructions) {
      if (instruction instanceof Instruction.Multiply multiply && routed.contains(multiply.out())) {
        routers.add(multiply.linear());
      }
    }
    return routers;
  }

  /** The weights of every norm. */
  public List<NormWeights> norms() {
    var norms = new ArrayList<NormWeights>();
    for (var instruction : instructions) {
      switch (instruction) {
        case Instruction.Normalise i -> norms.add(i.norm());
        case Instruction.AddNormalise i -> norms.add(i.norm());
        case Instruction.HeadNormalise i -> norms.add(i.norm());
        case Instruction.Embed _,
            Instruction.Multiply _,
            Instruction.Attend _,
            Instruction.Gate _,
            Instruction.Activate _,
            Instruction.Add _,
            Instruction.Scale _,
            Instruction.SoftCap _,
            Instruction.Mix _ -> {}
      }
    }
    return norms;
  }

  private static void requireWidth(String what, Value output, int width) {
    if (output.width() != width) {
      throw Recorder.wrong(what + " returns width " + output.width() + ", described was " + width);
    }
  }

  private static void requireLayer(Instruction.Attend attend, List<KvLayer> layers) {
    if (attend.layer() < 0 || attend.layer() >= layers.size()) {
      throw Recorder.wrong(
          "layer " + attend.layer() + " attends, described were " + layers.size() + " layers");
    }
    var layer = layers.get(attend.layer());
    if (attend.attention().headDim() != layer.keyDim()
        || attend.k().width() != layer.kvHeads() * layer.keyDim()
        || attend.v().width() != layer.kvHeads() * layer.valueDim()) {
      throw Recorder.wrong(
          "layer %d attends over keys of width %d and values of %d in heads of %d, described was %s"
              .formatted(
                  attend.layer(),
                  attend.k().width(),
                  attend.v().width(),
                  attend.attention().headDim(),
                  layer));
    }
  }
}
