package dev.millrace.models;

import dev.millrace.spi.model.ExpertNames;
import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Routing;
import java.util.List;

/**
 * What a family's mixture-of-experts layers have in common.
 *
 * @param experts of each layer
 * @param inner width inside of each
 */
record Mixture(int experts, int inner, Routing routing) {
  Mixture {
    if (routing.perToken() > experts) {
      throw Shape.unsupported(
          "num_experts_per_tok is %d; there are %d experts to choose from"
              .formatted(routing.perToken(), experts));
    }
  }

  /**
   * Binds one layer.
   *
   * @param names of matrices, where each expert has its own
   * @param block what holds the router and the experts
   */
  FeedForward bind(Shape shape, ExpertNames names, Weights block) {
    var weights = block.at("experts");
    // transformers 5 keeps all experts of a layer in two tensors
    boolean stacked = weights.has("gate_up_proj") || weights.has("down_proj");
    var parts =
        stacked
            ? List.of(new Part("gate_up_proj", 2 * inner), new Part("down_proj", shape.hidden()))
            : List.of(
                new Part(names.gate(), inner),
                new Part(names.up(), inner),
                new Part(names.down(), shape.hidden()));
    return new FeedForward.Mixed(
        block.linear("gate", experts, shape.hidden(), Split.NONE),
        weights.experts(experts, parts, shape.hidden()),
        routing);
  }
}
