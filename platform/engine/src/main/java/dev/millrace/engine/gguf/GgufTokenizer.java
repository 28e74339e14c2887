package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What a file says about text, in the form of the files that Hugging Face has for it: {@code
 * tokenizer.json}, {@code tokenizer_config.json} and {@code generation_config.json}.
 */
final class GgufTokenizer {
  private static final String KEYS = "tokenizer.ggml.";
  private static final String TEMPLATE = "tokenizer.chat_template";
  private static final String MARK = "\u2581";

  /**
   * Tokens that end an answer in whatever vocabulary they are; files often name but one of them.
   */
  private static final Set<String> ENDS =
      Set.of(
          "<|eot_id|>",
          "<|eom_id|>",
          "<|end_of_text|>",
          "<|im_end|>",
          "<|endoftext|>",
          "<|end|>",
          "<end_of_turn>");

  private static final Map<String, String> SPECIALS =
      Map.of(
          "bos_token", "bos_token_id",
          "eos_token", "eos_token_id",
          "unk_token", "unknown_token_id",
          "sep_token", "seperator_token_id",
          "pad_token", "padding_token_id",
          "cls_token", "cls_token_id",
          "mask_token", "mask_token_id");

  private final GgufMetadata metadata;
  private final GgufVocabulary vocabulary;
  private final boolean pieces;

  private GgufTokenizer(GgufVocabulary vocabulary, boolean pieces) {
    this.metadata = vocabulary.metadata();
    this.vocabulary = vocabulary;
    this.pieces = pieces;
  }

  /**
   * The tokenizer of a file.
   *
   * @param rows there are embeddings for
   * @throws dev.millrace.spi.InferenceException {@code UNSUPPORTED_MODEL} for a kind that is not
   *     known, {@code INVALID_CHECKPOINT} for one that is incomplete
   */
  static GgufTokenizer of(GgufMetadata metadata, int rows) {
    String model = metadata.neededText(KEYS + "model");
    boolean pieces = model.equals("llama");
    if (!pieces && !model.equals("gpt2")) {
      throw metadata.unsupported(
          KEYS + "model is " + model + "; known: gpt2 (byte pairs), llama (SentencePiece)");
    }
    return new GgufTokenizer(GgufVocabulary.of(metadata, rows), pieces);
  }

  /** A {@code tokenizer.json}. */
  ObjectNode tokenizer() {
    var json = JsonNodeFactory.instance.objectNode().put("version", "1.0");
    json.putNull("truncation").putNull("padding");
    vocabulary.putAdded(json.putArray("added_tokens"));
    if (pieces) {
      putPieces(json);
    } else {
      putBytePairs(json);
    }
    return json;
  }

  private void putBytePairs(ObjectNode json) {
    var way = PreTokenizer.of(metadata);
    way.put(json);
    putTemplate(json, way.addsBos());
    json.putObject("decoder")
        .put("type", "ByteLevel")
        .put("add_prefix_space", true)
        .put("trim_offsets", true)
        .put("use_regex", true);
    var model = putModel(json);
    model.put("ignore_merges", way.wholeWords());
    var merges = model.putArray("merges");
    for (String merge : metadata.texts(KEYS + "merges")) {
      int space = merge.indexOf(' ');
      if (space < 1 || space + 1 == merge.length() || space != merge.lastIndexOf(' ')) {
        throw metadata.wrong(KEYS + "merges has \"" + merge + "\", not two tokens and a space");
      }
      merges.add(merge);
    }
    if (merges.isEmpty()) {
      throw metadata.wrong(KEYS + "merges is missing or empty; byte pairs are merged by it");
    }
  }

  private void putPieces(ObjectNode json) {
    boolean prefix = metadata.flag(KEYS + "add_space_prefix", true);
    var normalizer = json.putObject("normalizer").put("type", "Sequence");
    var steps = normalizer.putArray("normalizers");
    if (prefix) {
      steps.addObject().put("type", "Prepend").put("prepend", MARK);
    }
    steps
        .addObject()
        .put("type", "Replace")
        .put("content", MARK)
        .putObject("pattern")
        .put("String", " ");
    json.putNull("pre_tokenizer");
    putTemplate(json, true);
    var decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
    decoders
        .addObject()
        .put("type", "Replace")
        .put("content", " ")
        .putObject("pattern")
        .put("String", MARK);
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    if (prefix) {
      decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    var model = putModel(json);
    special("unk_token").ifPresent(id -> model.put("unk_token", vocabulary.tokens().get(id)));
    model.put("fuse_unk", true).put("byte_fallback", true).put("ignore_merges", false);
    SentencePieces.of(vocabulary).put(model.putArray("merges"));
  }

  private ObjectNode putModel(ObjectNode json) {
    var model = json.putObject("model").put("type", "BPE");
    model.putNull("dropout").putNull("unk_token");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", false).put("byte_fallback", false);
    vocabulary.put(model.putObject("vocab"));
    return model;
  }

  /** What is put around a text. */
  private void putTemplate(ObjectNode json, boolean bosByDefault) {
    var bos =
        metadata.flag(KEYS + "add_bos_token", bosByDefault)
            ? special("bos_token")
            : OptionalInt.empty();
    var eos =
        metadata.flag(KEYS + "add_eos_token", false) ? special("eos_token") : OptionalInt.empty();
    json.putNull("post_processor");
    if (bos.isEmpty() && eos.isEmpty()) {
      return;
    }
    var processor = json.putObject("post_processor").put("type", "TemplateProcessing");
    var specials = processor.putObject("special_tokens");
    for (String which : new String[] {"single", "pair"}) {
      var template = processor.putArray(which);
      for (int i = 0; i < (which.equals("pair") ? 2 : 1); i++) {
        int type = i;
        bos.ifPresent(id -> template.add(part("SpecialToken", id, type, specials)));
        template.add(part("Sequence", i == 0 ? "A" : "B", type));
        eos.ifPresent(id -> template.add(part("SpecialToken", id, type, specials)));
      }
    }
  }

  private ObjectNode part(String kind, int id, int type, ObjectNode specials) {
    String token = vocabulary.tokens().get(id);
    if (!specials.has(token)) {
      var special = specials.putObject(token).put("id", token);
      special.putArray("ids").add(id);
      special.putArray("tokens").add(token);
    }
    return part(kind, token, type);
  }

  private static ObjectNode part(String kind, String id, int type) {
    var part = JsonNodeFactory.instance.objectNode();
    part.putObject(kind).put("id", id).put("type_id", type);
    return part;
  }

  /** A {@code tokenizer_config.json}: named special tokens and chat templates. */
  ObjectNode config() {
    var config = JsonNodeFactory.instance.objectNode();
    for (String name : SPECIALS.keySet()) {
      special(name).ifPresent(id -> config.put(name, vocabulary.tokens().get(id)));
    }
    String template = metadata.text(TEMPLATE);
    var named = metadata.texts(TEMPLATE + "s");
    if (named.isEmpty()) {
      if (template != null) {
        config.put("chat_template", template);
      }
      return config;
    }
    var templates = config.putArray("chat_template");
    if (template != null) {
      templates.addObject().put("name", "default").put("template", template);
    }
    for (String name : named) {
      String other = metadata.neededText(TEMPLATE + "." + name);
      templates.addObject().put("name", name).put("template", other);
    }
    return config;
  }

  /** A {@code generation_config.json}: where to stop, and how to sample. */
  ObjectNode generation() {
    var generation = JsonNodeFactory.instance.objectNode();
    special("bos_token").ifPresent(id -> generation.put("bos_token_id", id));
    var ends = new LinkedHashSet<Integer>();
    special("eos_token").ifPresent(ends::add);
    vocabulary.id(KEYS + "eot_token_id").ifPresent(ends::add);
    vocabulary.id(KEYS + "eom_token_id").ifPresent(ends::add);
    for (String end : ENDS) {
      Integer id = vocabulary.ids().get(end);
      if (id != null && vocabulary.types()[id] == GgufVocabulary.CONTROL) {
        ends.add(id);
      }
    }
    var eos = generation.putArray("eos_token_id");
    ends.stream().sorted().forEach(eos::add);
    real(generation, "temperature", "temp");
    real(generation, "top_p", "top_p");
    real(generation, "min_p", "min_p");
    real(generation, "repetition_penalty", "penalty_repeat");
    metadata
        .optionalInteger("general.sampling.top_k")
        .ifPresent(topK -> generation.put("top_k", topK));
    return generation;
  }

  private void real(ObjectNode generation, String name, String key) {
    if (metadata.has("general.sampling." + key)) {
      generation.put(name, metadata.real("general.sampling." + key, 0));
    }
  }

  /** The id of a special token; SentencePiece vocabularies have usual ones. */
  private OptionalInt special(String name) {
    var id = vocabulary.id(KEYS + SPECIALS.get(name));
    if (id.isPresent() || !pieces) {
      return id;
    }
    return switch (name) {
      case "unk_token" -> usual(0);
      case "bos_token" -> usual(1);
      case "eos_token" -> usual(2);
      default -> OptionalInt.empty();
    };
  }

  private OptionalInt usual(int id) {
    return id < vocabulary.tokens().size() ? OptionalInt.of(id) : OptionalInt.empty();
  }
}
