package dev.millrace.models;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Rope;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * The sizes that Llama-like families share, under the names of Hugging Face configurations.
 *
 * @param heads query heads
 * @param inner width of the feed-forward layer
 * @param tied whether the head is the embeddings
 */
record Shape(
    int hidden,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int inner,
    int vocabulary,
    int maxContext,
    NormStyle norms,
    Activation activation,
    boolean tied) {

  /** Far beyond any model there is; memory is taken for each layer before its tensors are seen. */
  private static final int MOST_LAYERS = 10_000;

  private static final int WIDEST_HEAD = 1 << 16;

  Shape {
    if (layers > MOST_LAYERS) {
      throw unsupported(
          "num_hidden_layers is " + layers + "; at most " + MOST_LAYERS + " are read");
    }
    if (headDim > WIDEST_HEAD) {
      throw unsupported("head_dim is " + headDim + "; at most " + WIDEST_HEAD + " is read");
    }
    if (heads % kvHeads != 0) {
      throw unsupported(
          "num_attention_heads " + heads + " is no multiple of num_key_value_heads " + kvHeads);
    }
    if (headDim % 2 != 0) {
      throw unsupported("head_dim " + headDim + " is odd; rotary embedding needs pairs");
    }
  }

  static Shape of(ModelConfig config) {
    return of(config, Dialect.llama(1e-6));
  }

  static Shape of(ModelConfig config, Dialect dialect) {
    int hidden = positive(config, "hidden_size");
    int heads = positive(config, "num_attention_heads");
    int headDim = config.has("head_dim") ? positive(config, "head_dim") : hidden / heads;
    if (!config.has("head_dim") && hidden % heads != 0) {
      throw unsupported("hidden_size " + hidden + " is no multiple of the " + heads + " heads");
    }
    return new Shape(
        hidden,
        positive(config, "num_hidden_layers"),
        heads,
        config.has("num_key_value_heads") ? positive(config, "num_key_value_heads") : heads,
        headDim,
        positive(config, "intermediate_size"),
        positive(config, "vocab_size"),
        config.has("max_position_embeddings") ? positive(config, "max_position_embeddings") : 2048,
        dialect.norms(config),
        activation(
            dialect.activationKey(), config.text(dialect.activationKey(), dialect.activation())),
        config.flag("tie_word_embeddings", dialect.tied()));
  }

  /** The geometry, where all layers see all positions. */
  ModelSpec spec(ModelConfig config) {
    return spec(config, _ -> 0);
  }

  /** The geometry, with the window of each layer; 0: all positions. */
  ModelSpec spec(ModelConfig config, IntUnaryOperator window) {
    return spec(RopeSettings.of(config, this).context(), window);
  }

  /** The geometry, for sequences of up to so many tokens. */
  ModelSpec spec(int context, IntUnaryOperator window) {
    var kv =
        IntStream.range(0, layers)
            .mapToObj(i -> new KvLayer(kvHeads, headDim, headDim, window.applyAsInt(i)))
            .toList();
    return new ModelSpec(hidden, vocabulary, context, kv);
  }

  Attention attention(int window, Rope rope) {
    return new Attention(headDim, (float) (1 / Math.sqrt(headDim)), window, 0, rope);
  }

  int queryWidth() {
    return Math.multiplyExact(heads, headDim);
  }

  int keyWidth() {
    return Math.multiplyExact(kvHeads, headDim);
  }

  static int positive(ModelConfig config, String key) {
    int value = config.integer(key);
    if (value < 1) {
      throw unsupported(key + " is " + value + ", it must be at least 1");
    }
    return value;
  }

  private static Activation activation(String key, String name) {
    return switch (name) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu" -> Activation.GELU;
      case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
      case "relu" -> Activation.RELU;
      default ->
          throw unsupported(
              key + " " + name + "; known: silu, gelu, gelu_pytorch_tanh, gelu_new, relu");
    };
  }

  static InferenceException unsupported(String what) {
    return new InferenceException(ErrorCode.UNSUPPORTED_MODEL, "config.json: " + what);
  }
}
