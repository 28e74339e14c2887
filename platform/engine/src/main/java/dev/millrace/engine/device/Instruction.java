package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Routing;
import java.util.List;

/** One step of a recorded program. What each computes is said at the method of {@code Ops}. */
public sealed interface Instruction {
  /** Where the result goes. */
  Value out();

  /** All values it reads or writes. */
  default List<Value> values() {
    return switch (this) {
      case Embed i -> List.of(i.out);
      case Normalise i -> List.of(i.out, i.x);
      case AddNormalise i -> List.of(i.out, i.residual, i.x);
      case HeadNormalise i -> List.of(i.out, i.x);
      case Multiply i -> List.of(i.out, i.x);
      case Attend i -> List.of(i.out, i.q, i.k, i.v);
      case Gate i -> List.of(i.out, i.gateUp);
      case Activate i -> List.of(i.out, i.x);
      case Add i -> List.of(i.out, i.a, i.b);
      case Scale i -> List.of(i.out, i.x);
      case SoftCap i -> List.of(i.out, i.x);
      case Mix i -> List.of(i.out, i.x, i.routed);
    };
  }

  /** Looks up the step's tokens. */
  record Embed(Value out, MatrixEmbedding table) implements Instruction {}

  /** Normalises rows. */
  record Normalise(Value out, Value x, NormWeights norm) implements Instruction {}

  /** Adds x into the residual, then normalises that. */
  record AddNormalise(Value out, Value residual, Value x, NormWeights norm)
      implements Instruction {}

  /** Normalises each head. */
  record HeadNormalise(Value out, Value x, int headDim, NormWeights norm) implements Instruction {}

  /** Multiplies with weights. */
  record Multiply(Value out, Value x, MatrixLinear linear) implements Instruction {}

  /** Appends to the KV cache and attends over it. */
  record Attend(Value out, int layer, Value q, Value k, Value v, Attention attention)
      implements Instruction {}

  /** Multiplies the activated gate with the rest. */
  record Gate(Value out, Activation f, Value gateUp) implements Instruction {}

  /** Activates each number. */
  record Activate(Value out, Activation f, Value x) implements Instruction {}

  /** Adds two values. */
  record Add(Value out, Value a, Value b) implements Instruction {}

  /** Multiplies with a constant. */
  record Scale(Value out, Value x, float by) implements Instruction {}

  /** Caps softly. */
  record SoftCap(Value out, Value x, float cap) implements Instruction {}

  /**
   * Mixes the outputs of the experts that the router chose.
   *
   * @param routed what the router gives for each expert, before the softmax
   */
  record Mix(Value out, Value x, Value routed, MatrixExperts experts, Routing routing)
      implements Instruction {}
}
