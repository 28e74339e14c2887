package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * How texts are split before byte pairs are merged. Files name the way, and leave what it is to
 * their readers.
 */
enum PreTokenizer {
  LLAMA3,
  /** Llama 3's way, but that tokens are always merged. */
  CL100K,
  QWEN2,
  /** Qwen's way without its normal form. */
  QWEN2_DISTILLED,
  O200K,
  TEKKEN,
  GPT2,
  /** GPT-2's way with each digit by itself. */
  DIGITS;

  private static final Map<String, PreTokenizer> BY_NAME =
      Map.ofEntries(
          Map.entry("llama-bpe", LLAMA3),
          Map.entry("llama3", LLAMA3),
          Map.entry("llama-v3", LLAMA3),
          Map.entry("dbrx", CL100K),
          Map.entry("smaug-bpe", CL100K),
          Map.entry("qwen2", QWEN2),
          Map.entry("deepseek-r1-qwen", QWEN2_DISTILLED),
          Map.entry("gpt-4o", O200K),
          Map.entry("tekken", TEKKEN),
          Map.entry("gpt-2", GPT2),
          Map.entry("starcoder", DIGITS),
          Map.entry("smollm", DIGITS));

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

  /**
   * The one that a file names.
   *
   * @throws dev.millrace.spi.InferenceException {@code UNSUPPORTED_MODEL} if it is not known
   */
  static PreTokenizer of(GgufMetadata metadata) {
    String name = metadata.neededText(KEY);
    var way = BY_NAME.get(name);
    if (way == null) {
      throw metadata.unsupported(
          "%s is %s; known: %s".formatted(KEY, name, BY_NAME.keySet().stream().sorted().toList()));
    }
    return way;
  }

  /** Whether a piece that is a token by itself is taken without merging. */
  boolean wholeWords() {
    return this == LLAMA3 || this == TEKKEN;
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
          case QWEN2, QWEN2_DISTILLED -> split(WORDS.formatted(""));
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
