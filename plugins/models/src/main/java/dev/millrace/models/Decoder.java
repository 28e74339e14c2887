package dev.millrace.models;

import dev.millrace.spi.model.Model;
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
 * A decoder: embeddings, layers, last norm, head.
 *
 * @param embeddingScale multiplies the embeddings; 1: none
 * @param head the embeddings themselves where they are tied
 * @param logitCap caps the logits softly; 0: none
 */
record Decoder(
    Embedding embedding,
    float embeddingScale,
    List<DecoderLayer> layers,
    Norm lastNorm,
    Linear head,
    float logitCap)
    implements Model {

  /**
   * What surrounds the layers by name; the head is {@code lm_head} everywhere.
   *
   * @param body what holds the others
   */
  record Names(String body, String layers, String embedding, String norm) {
    /** Those that transformers gives to all its families. */
    static final Names USUAL = new Names("model", "layers", "embed_tokens", "norm");
  }

  /** Binds a decoder by the usual names. */
  static Decoder bind(Shape shape, Weights weights, DecoderLayer.Binder binder) {
    return bind(shape, Names.USUAL, weights, binder);
  }

  /** Binds a decoder by names of its own. */
  static Decoder bind(Shape shape, Names names, Weights weights, DecoderLayer.Binder binder) {
    var body = weights.at(names.body());
    var layers =
        IntStream.range(0, shape.layers())
            .mapToObj(i -> binder.bind(i, body.at(names.layers() + "." + i)))
            .toList();
    var embedding = body.embedding(names.embedding(), shape.vocabulary(), shape.hidden());
    var head =
        shape.tied()
            ? embedding
            : weights.linear("lm_head", shape.vocabulary(), shape.hidden(), Split.COLUMN);
    var norm = shape.norms().bind(names.norm(), shape.hidden(), body);
    return new Decoder(embedding, 1, layers, norm, head, 0);
  }

  Decoder withEmbeddingScale(float scale) {
    return new Decoder(embedding, scale, layers, lastNorm, head, logitCap);
  }

  Decoder withLogitCap(float cap) {
    return new Decoder(embedding, embeddingScale, layers, lastNorm, head, cap);
  }

  @Override
  public Tensor hidden(Ops ops) {
    var embedded = ops.embed(embedding);
    var start = embeddingScale == 1 ? embedded : ops.scale(embedded, embeddingScale);
    var stream = new ResidualStream(start, ops);
    var x = stream.behind(layers.getFirst().norms().beforeAttention());
    for (int i = 0; i < layers.size(); i++) {
      boolean last = i + 1 == layers.size();
      var next = last ? lastNorm : layers.get(i + 1).norms().beforeAttention();
      x = layers.get(i).forward(stream, x, next, ops);
    }
    return x;
  }

  @Override
  public Tensor logits(Tensor rows, Ops ops) {
    var logits = head.apply(rows, ops);
    return logitCap == 0 ? logits : ops.softCap(logits, logitCap);
  }
}
