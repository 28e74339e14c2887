package dev.millrace.models;

import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A pre-norm decoder: embeddings, layers, last norm, head.
 *
 * @param head the embeddings themselves where they are tied
 */
record Decoder(Embedding embedding, List<DecoderLayer> layers, Norm lastNorm, Linear head)
    implements Model {

  /**
   * Binds a decoder.
   *
   * @param headNorms whether queries and keys are normalised, head by head
   */
  static Decoder bind(
      ModelSpec spec, ModelConfig config, Shape shape, boolean headNorms, Weights weights) {
    var body = weights.at("model");
    var rope = RopeSettings.of(config, shape).rope();
    var layers =
        IntStream.range(0, shape.layers())
            .mapToObj(i -> {
              int window = spec.layers().get(i).window();
              var attention = shape.attention(window, rope);
              return DecoderLayer.bind(i, shape, attention, headNorms, body.at("layers." + i));
            })
            .toList();
    var embedding = body.embedding("embed_tokens", spec.vocabulary(), spec.hidden());
    boolean tied = config.flag("tie_word_embeddings", false);
    var head =
        tied
            ? embedding
            : weights.linear("lm_head", spec.vocabulary(), spec.hidden(), Split.COLUMN);
    var norm = Norm.rms(body.vector("norm.weight", spec.hidden()), shape.eps());
    return new Decoder(embedding, layers, norm, head);
  }

  @Override
  public Tensor hidden(Ops ops) {
    var residual = ops.embed(embedding);
    var x = ops.norm(residual, layers.getFirst().inputNorm());
    for (int i = 0; i < layers.size(); i++) {
      var next = i + 1 < layers.size() ? layers.get(i + 1).inputNorm() : lastNorm;
      x = layers.get(i).forward(residual, x, next, ops);
    }
    return x;
  }

  @Override
  public Tensor logits(Tensor rows, Ops ops) {
    return head.apply(rows, ops);
  }
}
