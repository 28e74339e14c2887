package dev.millrace.engine.text.checks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Without its check, each of the refused files would end the process or keep it busy for minutes.
 */
class TokenizerChecksTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static final String PLAIN =
      """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
       "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
       "model": {"type": "BPE", "unk_token": "?", "merges": [],
        "vocab": {"?": 0, "a": 1, "b": 2, "ab": 3, "a#b": 4, "#b": 5, " ": 6}}}
      """;

  /** A file that is plain but for one field of it or of its model. */
  record Damage(String field, String value, String message) {}

  private static String template(String single, String tokens) {
    return "{\"type\": \"TemplateProcessing\", \"single\": [%s], \"pair\": [], \"special_tokens\": %s}"
        .formatted(single, tokens);
  }

  private static String replace(String kind, String pattern, String content) {
    return "{\"type\": \"Replace\", \"pattern\": {\"%s\": \"%s\"}, \"content\": \"%s\"}"
        .formatted(kind, pattern, content);
  }

  private static String added(String content, String... flags) {
    var token = JSON.createObjectNode().put("id", 7).put("content", content);
    for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
      token.put(flag, List.of(flags).contains(flag));
    }
    return token.toString();
  }

  private static final String A = "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}";
  private static final String STRIP =
      "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}";
  private static final String BEGIN = "{\"SpecialToken\": {\"id\": \"a\", \"type_id\": 0}}, " + A;
  private static final String DESCRIBED =
      "{\"a\": {\"id\": \"a\", \"ids\": [1], \"tokens\": [\"a\"]}}";

  static final List<Damage> DAMAGED =
      List.of(
          new Damage("model.continuing_subword_prefix", "\"xx\"", "lacks the continuing_subword_"),
          new Damage("model.continuing_subword_prefix", "\"\u00e9\"", "lacks the continuing_"),
          new Damage(
              "model",
              """
              {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0.0], ["%s", -1.0]]}
              """
                  .formatted("x".repeat(100_000)),
              "of 100000 bytes; the most is 1000"),
          new Damage("model.max_input_chars_per_word", "100000", "the most is 1000"),
          new Damage("added_tokens", "[" + added("x".repeat(100_000)) + "]", "of 100000 bytes"),
          new Damage(
              "added_tokens",
              "[" + added("a", "rstrip") + "," + added("  ", "lstrip") + "]",
              "of white space with lstrip"),
          new Damage("post_processor", "[[], [], {}]", "must be an object with a type"),
          new Damage(
              "post_processor",
              template("{\"SpecialToken\": {\"id\": \"z\", \"type_id\": 0}}", DESCRIBED),
              "its special_tokens lack"),
          new Damage(
              "post_processor",
              template("{\"SpecialToken\": [\"z\", 0]}", DESCRIBED),
              "has the part"),
          new Damage(
              "post_processor", template(A.replace("A", "B"), "{}"), "template of a single has"),
          new Damage(
              "post_processor",
              template(BEGIN, DESCRIBED.replace("[1]", "[1, 2]")),
              "lacks an id for each"),
          new Damage(
              "post_processor",
              "{\"type\": \"Sequence\", \"processors\": [%s, %s]}"
                  .formatted(template(A + "," + BEGIN, DESCRIBED), template(A, "{}")),
              "more than one template"),
          new Damage(
              "pre_tokenizer", "{\"type\": \"FixedLength\", \"length\": 0}", "parts of no length"),
          new Damage(
              "pre_tokenizer",
              """
              {"type": "Split", "behavior": "Isolated", "invert": false,
               "pattern": {"Regex": "%sa%s"}}
              """
                  .formatted("(".repeat(4_000), ")".repeat(4_000)),
              "nested more than 100 deep"),
          new Damage(
              "pre_tokenizer",
              """
              {"type": "Split", "behavior": "Isolated", "invert": false,
               "pattern": {"Regex": "%sa%s"}}
              """
                  .formatted("[".repeat(4_000), "]".repeat(4_000)),
              "nested more than 100 deep"),
          new Damage("normalizer", replace("String", "", "a"), "matches where nothing is"),
          new Damage("normalizer", replace("Regex", "^", "a"), "matches where nothing is"),
          new Damage("normalizer", replace("Regex", "(?=a)|b*", "a"), "matches where nothing is"),
          new Damage(
              "normalizer",
              "{\"type\": \"Sequence\", \"normalizers\": [%s]}"
                  .formatted(
                      String.join(",", Collections.nCopies(40, replace("String", "a", "aa")))),
              "times as long; the most is 10000"),
          new Damage(
              "normalizer",
              "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"!\"}",
              "no text in base 64"),
          new Damage(
              "normalizer",
              "{\"type\": \"Precompiled\", \"precompiled_charsmap\": null}",
              "no text in base 64"),
          new Damage(
              "decoder",
              "{\"type\": \"Sequence\", \"decoders\": {\"a\": {\"type\": \"Fuse\"}}}",
              "cannot be loaded"),
          new Damage(
              "decoder",
              "{\"type\": \"Strip\", \"content\": \"a\", \"start\": 1, \"stop\": 1}",
              "strips the end of tokens"),
          new Damage(
              "decoder",
              "{\"type\": \"Sequence\", \"decoders\": [%s]}"
                  .formatted(
                      String.join(",", Collections.nCopies(40, replace("String", "a", "aa")))),
              "decoder that makes a text"));

  private static ObjectNode plain() throws IOException {
    return (ObjectNode) JSON.readTree(PLAIN);
  }

  private static ObjectNode with(String field, String value) throws IOException {
    var json = plain();
    boolean ofModel = field.startsWith("model.");
    var object = ofModel ? (ObjectNode) json.get("model") : json;
    object.set(ofModel ? field.substring("model.".length()) : field, JSON.readTree(value));
    if (ofModel) {
      object.putArray("merges").add("a b");
    }
    return json;
  }

  private static Tokenizer open(ObjectNode json) {
    return Tokenizer.of(json, JSON.createObjectNode(), Path.of("tokenizer.json"));
  }

  private static void assertRefused(ObjectNode json, String message) {
    var failure =
        assertThrows(
            InferenceException.class,
            () -> {
              try (var tokenizer = open(json)) { // what would not survive a text is given some
                tokenizer.decode(tokenizer.encode("a  \u00e9 ab", true), false);
              }
            });
    assertEquals(ErrorCode.INVALID_CHECKPOINT, failure.code());
    assertTrue(String.valueOf(failure.getMessage()).contains(message), failure.getMessage());
    assertTrue(String.valueOf(failure.getMessage()).length() < 500, "a message for people");
  }

  @ParameterizedTest
  @FieldSource("DAMAGED")
  void whatEndsTheProcessIsRefused(Damage damage) throws IOException {
    assertRefused(with(damage.field(), damage.value()), damage.message());
  }

  @Test
  void anAddedTokenThatIsNormalizedToNothingIsRefused() throws IOException {
    var json = with("added_tokens", "[" + added(" ", "normalized") + "]");
    json.set("normalizer", JSON.readTree(STRIP));
    assertRefused(json, "normalized to 0 characters");
  }

  @Test
  void anAddedTokenThatIsNormalizedToWhiteSpaceCountsAsSuch() throws IOException {
    var json =
        with(
            "added_tokens",
            "[" + added("a", "rstrip") + "," + added("b", "lstrip", "normalized") + "]");
    json.set("normalizer", JSON.readTree(replace("String", "b", " ")));
    assertRefused(json, "of white space with lstrip");
  }

  @Test
  void anAddedTokenThatGrowsWithoutEndIsRefused() throws IOException {
    var json = with("added_tokens", "[" + added("ab".repeat(100), "normalized") + "]");
    json.set("normalizer", JSON.readTree(replace("String", "a", "a".repeat(1_000))));
    assertRefused(json, "normalized to 100100 characters");
  }

  @Test
  void tooManyAddedTokensAreRefused() throws IOException {
    var json = plain();
    var tokens = json.putArray("added_tokens");
    IntStream.range(0, 100_001).forEach(i -> tokens.add(JSON.createObjectNode().put("id", i)));
    assertRefused(json, "100001 added tokens; the most is 100000");
  }

  @Test
  void soundPartsOfTheSameKindsAreTaken() throws IOException {
    var json =
        with(
            "added_tokens",
            "["
                + added("<x>", "rstrip", "special")
                + ","
                + added("b a", "lstrip", "normalized")
                + "]");
    json.set("normalizer", JSON.readTree(replace("Regex", " {2,}", " ")));
    json.set("post_processor", JSON.readTree(template(BEGIN, DESCRIBED)));
    json.set(
        "decoder",
        JSON.readTree("{\"type\": \"Strip\", \"content\": \" \", \"start\": 1, \"stop\": 0}"));
    try (var tokenizer = open(json)) {
      assertArrayEquals(new int[] {1, 1, 6, 2}, tokenizer.encode("a   b", true));
    }
  }

  @Test
  void mergesWithTheirPrefixAreTaken() throws IOException {
    var json = with("model.continuing_subword_prefix", "\"#\"");
    ((ObjectNode) json.get("model")).putArray("merges").add("#version: 0.2").add("a #b");
    try (var tokenizer = open(json)) {
      assertEquals(3, tokenizer.encode("ab", false)[0]);
    }
  }

  @Test
  void anAmbiguousNameIsRefused(@TempDir Path folder) throws IOException {
    String twice = PLAIN.replace("\"normalizer\"", "\"normalizer\": " + STRIP + ", \"normalizer\"");
    Files.writeString(folder.resolve("tokenizer.json"), twice);
    var failure = assertThrows(InferenceException.class, () -> Tokenizer.open(folder));
    assertTrue(String.valueOf(failure.getMessage()).contains("Duplicate field 'normalizer'"));
  }

  @Test
  void theCountersOfExpressionsKnowWhatMatchesNothing() {
    var file = new CheckedFile(Path.of("tokenizer.json"));
    var empty =
        List.of(
            "",
            "a*",
            "a?",
            "^",
            "a|",
            "(a|b*)",
            "(?:a?b?)",
            "\\b",
            "(?<!a)",
            "a{0,2}",
            "a{2}?",
            "a+*",
            "(?<n>a)",
            "\\x41*",
            "(?x) a*",
            "a**",
            "(?i)",
            "[]a]*",
            "\\u0041?",
            "(a)\\1|\\1");
    var full =
        List.of(
            "a",
            " {2,}",
            "\\s+",
            "a+?",
            "[^\\]]",
            "(?:a|bc)",
            "(?i:'s|'t)|\\p{L}+",
            "\\x{41}",
            "[[:alpha:]&&[^a]]",
            "a{1,3}",
            "^a",
            "\\s+(?!\\S)",
            "(?i)a");
    for (String one : empty) {
      assertEquals(0, RegexShape.check(JSON.getNodeFactory().textNode(one), file).least(), one);
    }
    for (String one : full) {
      assertTrue(RegexShape.check(JSON.getNodeFactory().textNode(one), file).least() > 0, one);
    }
    assertEquals(
        List.of(3, 2),
        Arrays.asList(
            RegexShape.check(JSON.getNodeFactory().textNode("ab{2}"), file).least(),
            RegexShape.check(JSON.getNodeFactory().textNode("abc|de"), file).least()));
  }
}
