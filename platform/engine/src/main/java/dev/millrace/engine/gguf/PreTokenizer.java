package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;

/**
 * How texts are split before byte pairs are merged. Files name the way, and leave what it is to
 * their readers.
 */
enum PreTokenizer {
  LLAMA3(List.of("llama-bpe", "llama3", "llama-v3"), true),
  /** Llama 3's way, but that tokens are always merged. */
  CL100K(List.of("dbrx", "smaug-bpe"), false),
  QWEN2(List.of("qwen2"), false),
  QWEN2_AS_IT_STANDS(List.of("deepseek-r1-qwen"), false),
  O200K(List.of("gpt-4o"), false),
  TEKKEN(List.of("tekken"), true),
  GPT2(List.of("gpt-2"), false),
  DIGITS(List.of("starcoder", "smollm"), false);

  private static final String KEY = "tokenizer.ggml.pre";
  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String WORDS =
      CONTRACTIONS
          + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
          + SPACES;
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String CASED =
      "[^\\r\\n\\p{L}\\p{N}]?"
          + UPPER
          + "*"
          + LOWER
          + "+%1$s|[^\\r\\n\\p{L}\\p{N}]?"
          + UPPER
          + "+"
          + LOWER
          + "*%1$s|\\p{N}%2$s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
          + SPACES;

  private final List<String> names;
  private final boolean wholeWords;

  PreTokenizer(List<String> names, boolean wholeWords) {
    this.names = names;
    this.wholeWords = wholeWords;
  }

  /**
   * The one that a file names.
   *
   * @throws dev.millrace.spi.InferenceException {@code UNSUPPORTED_MODEL} if it is not known
   */
  static PreTokenizer of(GgufMetadata metadata) {
    String name = metadata.neededText(KEY);
    for (var way : values()) {
      if (way.names.contains(name)) {
        return way;
      }
    }
    throw metadata.unsupported(
        "%s is %s; known: %s"
            .formatted(
                KEY, name, Arrays.stream(values()).flatMap(way -> way.names.stream()).toList()));
  }

  /** Whether a piece that is a token by itself is taken without merging. */
  boolean wholeWords() {
    return wholeWords;
  }

  /** Whether a text begins with BOS where the file does not say. */
  boolean addsBos() {
    return this == LLAMA3 || this == TEKKEN;
  }

  /** Writes normalizer and pre-tokenizer. */
  void put(ObjectNode tokenizer) {
    tokenizer.putNull("normalizer");
    if (this == QWEN2) {
      tokenizer.putObject("normalizer").put("type", "NFC");
    }
    var first =
        switch (this) {
          case LLAMA3, CL100K -> split(WORDS.formatted("{1,3}"));
          case QWEN2, QWEN2_AS_IT_STANDS -> split(WORDS.formatted(""));
          case O200K -> split(CASED.formatted(CONTRACTIONS + "?", "{1,3}"));
          case TEKKEN -> split(CASED.formatted("", ""));
          case DIGITS -> object("Digits").put("individual_digits", true);
          case GPT2 -> null;
        };
    boolean own = this == GPT2 || this == DIGITS;
    var bytes =
        object("ByteLevel")
            .put("add_prefix_space", false)
            .put("trim_offsets", true)
            .put("use_regex", own);
    if (first == null) {
      tokenizer.set("pre_tokenizer", bytes);
    } else {
      var sequence = tokenizer.putObject("pre_tokenizer").put("type", "Sequence");
      sequence.putArray("pretokenizers").add(first).add(bytes);
    }
  }

  private static ObjectNode split(String regex) {
    var split = object("Split").put("behavior", "Isolated").put("invert", false);
    split.putObject("pattern").put("Regex", regex);
    return split;
  }

  private static ObjectNode object(String type) {
    return JsonNodeFactory.instance.objectNode().put("type", type);
  }
}
