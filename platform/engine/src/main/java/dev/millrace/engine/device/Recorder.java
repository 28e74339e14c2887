package dev.millrace.engine.device;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Routing;
import dev.millrace.spi.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Writes down what a model calls. Shapes are checked here, once, so that devices need not. Used by
 * the loading thread.
 */
final class Recorder implements Ops {
  private final List<Instruction> instructions = new ArrayList<>();
  private final List<Integer> slotWidths = new ArrayList<>();

  /** By identity: a value of another pass may well be equal to one of this. */
  private final Set<Value> handedOut = Collections.newSetFromMap(new IdentityHashMap<>());

  static Recorder of(Ops ops) {
    if (ops instanceof Recorder recorder) {
      return recorder;
    }
    throw wrong("a linear was applied with operations that are not the engine's");
  }

  Program program(Value input, Value output) {
    int[] widths = slotWidths.stream().mapToInt(Integer::intValue).toArray();
    return new Program(instructions, widths, input, output);
  }

  Value newSlot(int width) {
    slotWidths.add(width);
    return handOut(new Value(slotWidths.size() - 1, 0, width));
  }

  Value value(Tensor tensor) {
    if (tensor instanceof Value value && handedOut.contains(value)) {
      return value;
    }
    throw wrong("a tensor was used that no operation of this pass returned");
  }

  Tensor multiply(Tensor x, MatrixLinear linear) {
    requireWidth(linear.name() + "'s input", value(x), linear.in());
    return add(new Instruction.Multiply(newSlot(linear.out()), value(x), linear));
  }

  @Override
  public Tensor embed(Embedding table) {
    if (table instanceof MatrixEmbedding matrix) {
      return add(new Instruction.Embed(newSlot(matrix.width()), matrix));
    }
    throw wrong("embed was given a table that is not the engine's");
  }

  @Override
  public Tensor norm(Tensor x, Norm norm) {
    var in = value(x);
    return add(new Instruction.Normalise(newSlot(in.width()), in, weights(norm, in.width())));
  }

  @Override
  public Tensor addNorm(Tensor residual, Tensor x, Norm norm) {
    var sum = value(residual);
    requireWidth("addNorm's x", value(x), sum.width());
    var weights = weights(norm, sum.width());
    return add(new Instruction.AddNormalise(newSlot(sum.width()), sum, value(x), weights));
  }

  @Override
  public Tensor headNorm(Tensor x, int headDim, Norm norm) {
    var in = value(x);
    requireHeads("headNorm's x", in, headDim);
    var weights = weights(norm, headDim);
    return add(new Instruction.HeadNormalise(newSlot(in.width()), in, headDim, weights));
  }

  @Override
  public List<Tensor> split(Tensor x, int... widths) {
    var whole = value(x);
    var parts = new ArrayList<Tensor>();
    int offset = whole.offset();
    for (int width : widths) {
      if (width < 1) {
        throw wrong("split was asked for a part of " + width);
      }
      parts.add(handOut(new Value(whole.slot(), offset, width)));
      offset += width;
    }
    requireWidth("the sum of split's widths", whole, offset - whole.offset());
    return parts;
  }

  @Override
  public Tensor attention(int layer, Tensor q, Tensor k, Tensor v, Attention attention) {
    requireHeads("queries", value(q), attention.headDim());
    requireHeads("keys", value(k), attention.headDim());
    requireWidth("values", value(v), k.width());
    if (q.width() % k.width() != 0) {
      throw wrong("queries of width " + q.width() + " do not share keys of width " + k.width());
    }
    var rope = attention.rope();
    if (rope != null && 2 * rope.inverseFrequencies().length > attention.headDim()) {
      throw wrong("the rope rotates more than a head of " + attention.headDim());
    }
    var out = newSlot(q.width());
    return add(new Instruction.Attend(out, layer, value(q), value(k), value(v), attention));
  }

  @Override
  public Tensor gated(Activation f, Tensor gateUp) {
    var in = value(gateUp);
    if (in.width() % 2 != 0) {
      throw wrong("gated needs an even width, not " + in.width());
    }
    return add(new Instruction.Gate(newSlot(in.width() / 2), f, in));
  }

  @Override
  public Tensor activate(Activation f, Tensor x) {
    return add(new Instruction.Activate(newSlot(x.width()), f, value(x)));
  }

  @Override
  public Tensor experts(Tensor x, Linear router, Experts experts, Routing routing) {
    if (!(experts instanceof MatrixExperts matrices)) {
      throw wrong("experts was given matrices that are not the engine's");
    }
    requireWidth("experts' x", value(x), matrices.hidden());
    var routed = value(router.apply(x, this));
    requireWidth("the router's output", routed, matrices.count());
    if (routing.perToken() < 1 || routing.perToken() > matrices.count()) {
      throw wrong(routing.perToken() + " of " + matrices.count() + " experts were asked for");
    }
    return add(
        new Instruction.Mix(newSlot(matrices.hidden()), value(x), routed, matrices, routing));
  }

  @Override
  public Tensor add(Tensor a, Tensor b) {
    requireWidth("the second summand", value(b), a.width());
    return add(new Instruction.Add(newSlot(a.width()), value(a), value(b)));
  }

  @Override
  public Tensor scale(Tensor x, float by) {
    return add(new Instruction.Scale(newSlot(x.width()), value(x), by));
  }

  @Override
  public Tensor softCap(Tensor x, float cap) {
    return add(new Instruction.SoftCap(newSlot(x.width()), value(x), cap));
  }

  private Value handOut(Value value) {
    handedOut.add(value);
    return value;
  }

  private Value add(Instruction instruction) {
    instructions.add(instruction);
    return instruction.out();
  }

  private static NormWeights weights(Norm norm, int width) {
    float[] weight = vector(norm.weight(), width).clone();
    for (int i = 0; i < width; i++) {
      weight[i] += norm.offset();
    }
    var bias = norm.bias();
    return new NormWeights(
        name(norm.weight()),
        norm.kind(),
        weight,
        bias == null ? null : vector(bias, width),
        norm.eps(),
        norm.offset());
  }

  private static String name(Tensor tensor) {
    return tensor instanceof Vector vector ? vector.name() : "";
  }

  private static float[] vector(Tensor tensor, int width) {
    if (tensor instanceof Vector vector && vector.width() == width) {
      return vector.values();
    }
    throw wrong("a norm over " + width + " numbers was given weights of " + tensor.width());
  }

  private static void requireWidth(String what, Value value, int width) {
    if (value.width() != width) {
      throw wrong(what + " has width " + value.width() + ", not " + width);
    }
  }

  private static void requireHeads(String what, Value value, int headDim) {
    if (headDim < 1 || value.width() % headDim != 0) {
      throw wrong(what + " of width " + value.width() + " are no heads of " + headDim);
    }
  }

  static InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_PLUGIN, "the model plugin is wrong: " + what);
  }
}
