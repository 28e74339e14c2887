package dev.millrace.compare.cpu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.compare.CompareException;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/** Reads what llama.cpp's programs print. */
final class PeerOutput {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern DIVERGENCE =
      Pattern.compile("^Mean\\s+KLD:\\s+(-?[0-9.]+)", Pattern.MULTILINE);

  private PeerOutput() {}

  /** Tokens per second, of {@code llama-bench -o json} with a single test. */
  static double bench(String text) {
    return number("llama-bench", text.substring(Math.max(0, text.indexOf('['))), "/0/avg_ts");
  }

  /**
   * Tokens per second of all streams together while they decode, of {@code llama-batched-bench
   * --output-format jsonl} with a single test.
   */
  static double batched(String text) {
    String line = text.lines().filter(one -> one.startsWith("{")).findFirst().orElse("{}");
    return number("llama-batched-bench", line, "/speed_tg");
  }

  /** Mean divergence in nats, of {@code llama-perplexity --kl-divergence}. */
  static OptionalDouble divergence(String text) {
    var found = DIVERGENCE.matcher(text);
    return found.find()
        ? OptionalDouble.of(Double.parseDouble(found.group(1)))
        : OptionalDouble.empty();
  }

  private static double number(String program, String json, String at) {
    try {
      JsonNode found = JSON.readTree(json).at(at);
      if (found.isNumber()) {
        return found.asDouble();
      }
    } catch (JsonProcessingException _) {
      // told below
    }
    throw new CompareException(program + " printed no " + at + " in: " + json.strip());
  }
}
