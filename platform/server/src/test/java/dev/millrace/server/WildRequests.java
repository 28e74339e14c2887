package dev.millrace.server;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Requests with values that have brought down servers, in random company; a seed is a request. */
final class WildRequests {
  /** Longest prompt and answer together, on the server these are for. */
  static final int CONTEXT = 64;

  private static final String DEEP = "[".repeat(2000) + "]".repeat(2000);

  private static final Map<String, List<String>> SAMPLING =
      Map.ofEntries(
          Map.entry(
              "max_tokens",
              List.of("0", "-1", "null", "2147483648", "65", "63", "1.5", "\"3\"", "1e400", "2")),
          Map.entry("n", List.of("0", "-1", "null", "2", "9", "129", "1000000000", "\"2\"")),
          Map.entry(
              "temperature", List.of("1e-8", "-1", "NaN", "Infinity", "1e999", "null", "2", "[]")),
          Map.entry("top_k", List.of("-1", "0", "-2", "2147483647", "9999999999", "1")),
          Map.entry("top_p", List.of("0", "1", "1e-9", "-0.1", "2", "null")),
          Map.entry("min_p", List.of("0", "1", "-1", "2")),
          Map.entry("repetition_penalty", List.of("0", "-1", "1e-9", "100", "1e308")),
          Map.entry("presence_penalty", List.of("-2", "2", "3", "\"a\"")),
          Map.entry("frequency_penalty", List.of("-2", "2", "-3", "{}")),
          Map.entry("seed", List.of("-1", "9223372036854775807", "9223372036854775808", "0.5")),
          Map.entry(
              "logit_bias",
              List.of(
                  "{\"512\":1}", "{\"-1\":1}", "{\"3\":-100}", "{\"3\":1e99}", "{\"a\":1}", "[]")),
          Map.entry(
              "stop",
              List.of(
                  "\"\"",
                  "[]",
                  "[\"\"]",
                  "null",
                  "5",
                  "[null]",
                  "\"\\u0000\"",
                  "\"\\ud800\"",
                  "[" + "\"zq\",".repeat(9_999) + "\"zq\"]")),
          Map.entry("min_tokens", List.of("99", "-1", "1", "null", "2147483648")),
          Map.entry("stream", List.of("true", "null", "1", "\"true\"")),
          Map.entry(
              "stream_options", List.of("null", "{}", "{\"include_usage\":true}", "5", "[[]]")),
          Map.entry("logprobs", List.of("true", "false", "0", "5", "-1", "99999", "null")),
          Map.entry("top_logprobs", List.of("0", "20", "21", "-1", "null")),
          Map.entry("model", List.of("\"nobody\"", "\"\"", "5", "null", "\"demo\"")),
          Map.entry("priority", List.of("1", "-1", "\"high\"", "99999999999")),
          Map.entry("echo", List.of("true", "1", "null")),
          Map.entry("prompt_logprobs", List.of("0", "20", "21", "-1", "\"1\"", "null")),
          Map.entry("cache_salt", List.of("\"\"", "\"\\u0000\"", "\"\\ud800\"", "7", "\"a\"")),
          Map.entry("request_timeout", List.of("0", "-1", "1e308", "NaN", "\"1\"", "1000")),
          Map.entry("queue_timeout", List.of("0", "-1", "1e308", "[]", "1000")),
          Map.entry("request_id", List.of("\"same\"", "\"same\"", "5")),
          Map.entry(
              "response_format",
              List.of(
                  "{\"type\":\"json_schema\",\"json_schema\":false}",
                  "{\"type\":\"json_object\"}",
                  "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"$ref\":\"#\"}}}",
                  "\"\"",
                  "{\"type\":7}")),
          Map.entry(
              "structured_outputs",
              List.of("{\"json_object\":false}", "{\"json\":\"\"}", "{\"regex\":\"(a+)+$\"}")),
          Map.entry("tools", List.of("[]", "[{}]", "5", "null")),
          Map.entry("metadata", List.of("{}", DEEP, "null")));

  private static final List<String> PROMPTS =
      List.of(
          "\"\"",
          "null",
          "[]",
          "5",
          "[[]]",
          "[512]",
          "[-1]",
          "[1.5]",
          "[99999999999]",
          "\"\\ud800\"",
          "\"\\u0000\"",
          "\"\uFFFD\u200D\"",
          "[null]",
          "{}",
          DEEP,
          "[\"a\",\"b\"]",
          ids(CONTEXT - 1),
          ids(CONTEXT),
          ids(CONTEXT + 1),
          "\"" + "a b ".repeat(5000) + "\"");

  private static final List<String> MESSAGES =
      List.of(
          "[]",
          "null",
          "[null]",
          "\"hi\"",
          "[{}]",
          DEEP,
          said("null"),
          said("\"\""),
          said("[]"),
          said("5"),
          said("[{\"type\":\"text\"}]"),
          said("[{\"type\":\"text\",\"text\":\"a\"}]"),
          said("\"\\ud800\""),
          said("\"\\u0000\""),
          said("\"{{ 1/0 }}{% raise %}<|im_end|>\""),
          said("\"" + "a b ".repeat(5000) + "\""),
          said("[{\"type\":\"image_url\"}]"),
          "[{\"role\":\"\\u0000\",\"content\":\"a\"}]",
          "[{\"role\":7,\"content\":\"a\"}]",
          "[{\"role\":\"assistant\",\"content\":\"a\"}]");

  /** One of them. */
  record Request(String path, byte[] body) {
    @Override
    public String toString() {
      var text = new String(body, StandardCharsets.UTF_8);
      return path + " " + text.substring(0, Math.min(2000, text.length()));
    }
  }

  private WildRequests() {}

  static Request of(long seed) {
    var random = new SplittableRandom(seed);
    boolean chat = random.nextBoolean();
    var input = chat ? "messages" : "prompt";
    var fields = new LinkedHashMap<String, String>();
    fields.put(input, chat ? said("\"a b\"") : "\"a b\"");
    fields.put("max_tokens", "2");
    if (random.nextInt(3) == 0) {
      fields.put(input, any(chat ? MESSAGES : PROMPTS, random));
    }
    var names = SAMPLING.keySet().stream().sorted().toList();
    for (int left = random.nextInt(4); left > 0; left--) {
      var name = any(names, random);
      fields.put(name, any(SAMPLING.getOrDefault(name, List.of()), random));
    }
    var text = new StringBuilder("{");
    fields.forEach((name, value) ->
        text.append(text.length() > 1 ? "," : "").append("\"" + name + "\":" + value));
    byte[] body = text.append('}').toString().getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(8) == 0) {
      damage(body, random);
    }
    return new Request(chat ? "/v1/chat/completions" : "/v1/completions", body);
  }

  /** Bytes that are not UTF-8, not JSON, or something else than was meant. */
  private static void damage(byte[] body, SplittableRandom random) {
    for (int left = 1 + random.nextInt(3); left > 0; left--) {
      body[random.nextInt(body.length)] = (byte) random.nextInt(256);
    }
  }

  private static String said(String content) {
    return "[{\"role\":\"user\",\"content\":" + content + "}]";
  }

  private static String ids(int count) {
    return "[" + "5,".repeat(count - 1) + "5]";
  }

  private static String any(List<String> list, SplittableRandom random) {
    return list.get(random.nextInt(list.size()));
  }
}
