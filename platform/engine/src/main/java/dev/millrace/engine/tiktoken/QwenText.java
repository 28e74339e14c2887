package dev.millrace.engine.tiktoken;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.text.ByteAlphabet;
import dev.millrace.spi.InferenceException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the code beside an original Qwen checkpoint knows about text, in the form of the files that
 * Hugging Face has for it. Its vocabulary is {@code qwen.tiktoken}; special tokens, split and chat
 * format are in no file. Immutable.
 *
 * @see <a href="https://huggingface.co/Qwen/Qwen-7B-Chat/blob/main/tokenization_qwen.py">its
 *     tokenizer</a>
 */
public final class QwenText {
  /** The vocabulary's file in a model directory. */
  public static final String FILE = "qwen.tiktoken";

  private static final String END = "<|endoftext|>";
  private static final List<String> TURNS = List.of("<|im_start|>", "<|im_end|>");
  private static final int EXTRAS = 205;

  private static final String SPLIT =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** ChatML, with the system message that the model was trained with where there is no other. */
  private static final String CHAT =
      """
      {%- if not messages or messages[0].role != 'system' -%}
      {{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
      {%- endif -%}
      {%- for message in messages -%}
      {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' }}
      {%- if not loop.last or add_generation_prompt -%}{{ '\\n' }}{%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
      """;

  private final TiktokenFile vocabulary;

  private QwenText(TiktokenFile vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** Whether a model directory has this vocabulary. */
  public static boolean isIn(Path directory) {
    return Files.exists(directory.resolve(FILE));
  }

  /**
   * Reads the vocabulary of a model directory.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if it is damaged
   */
  public static QwenText read(Path directory) {
    return new QwenText(TiktokenFile.read(directory.resolve(FILE)));
  }

  /** A {@code tokenizer.json}. Special tokens follow the last of the vocabulary. */
  public ObjectNode tokenizer() {
    var json = object().put("version", "1.0");
    json.putNull("truncation").putNull("padding");
    putSpecials(json.putArray("added_tokens"));
    json.putObject("normalizer").put("type", "NFC");
    var steps = json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    var split = steps.addObject().put("type", "Split");
    split.put("behavior", "Isolated").put("invert", false);
    split.putObject("pattern").put("Regex", SPLIT);
    steps.add(byteLevel());
    json.putNull("post_processor");
    json.set("decoder", byteLevel());
    var model = json.putObject("model").put("type", "BPE");
    model.putNull("dropout").putNull("unk_token");
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", false).put("byte_fallback", false);
    model.put("ignore_merges", true); // tiktoken takes a piece that is a token as it is
    putTokens(model.putObject("vocab"), model.putArray("merges"));
    return json;
  }

  private void putTokens(ObjectNode vocab, ArrayNode merges) {
    var pairs = new BytePairs(vocabulary.ranks());
    for (String token : vocabulary.tokens()) {
      vocab.put(letters(token), vocab.size());
      pairs
          .lastJoint(token)
          .ifPresent(joint ->
              merges.add(
                  letters(token.substring(0, joint)) + " " + letters(token.substring(joint))));
    }
  }

  private static String letters(String token) {
    return ByteAlphabet.letters(token.getBytes(StandardCharsets.ISO_8859_1));
  }

  private void putSpecials(ArrayNode added) {
    var names = new ArrayList<>(List.of(END));
    names.addAll(TURNS);
    IntStream.range(0, EXTRAS).forEach(i -> names.add("<|extra_" + i + "|>"));
    for (String name : names) {
      added
          .addObject()
          .put("id", vocabulary.tokens().size() + added.size() - 1)
          .put("content", name)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
  }

  private static ObjectNode byteLevel() {
    return object()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", false)
        .put("use_regex", false);
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  /** What a {@code tokenizer_config.json} would say about chat. */
  public static ObjectNode chat() {
    return object().put("chat_template", CHAT);
  }

  /**
   * The ids that end an answer.
   *
   * @param chat whether the model was trained to chat, and so ends its turns
   */
  public List<Integer> ends(boolean chat) {
    int end = vocabulary.tokens().size();
    return chat ? List.of(end, end + 1, end + 2) : List.of(end);
  }
}
