package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.engine.RequestTerms;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.sample.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What chat and completions ask for alike.
 *
 * @param n answers for each prompt
 * @param maxTokens null: not asked for; 0: the prompt itself is the answer
 * @param sampling of the first answer; each further one has the next seed
 * @param seeded whether the request names the seed: then equal prompts get equal answers
 * @param logprobs alternatives for each token; −1: no log-probabilities
 * @param promptLogprobs the same for the prompt's tokens
 * @param usage when a stream tells what was used
 * @param terms as asked for; the server's limits hold besides
 */
record Generation(
    boolean stream,
    StreamUsage usage,
    int n,
    @Nullable Integer maxTokens,
    SamplingParams sampling,
    boolean seeded,
    StopConditions stop,
    int logprobs,
    int promptLogprobs,
    RequestTerms terms) {
  private static final int MOST_CHOICES = 128;
  private static final int MOST_STOPS = 64;

  /** How a stream tells what was used: never, in a chunk of its own, or in every chunk. */
  enum StreamUsage {
    NONE,
    AT_END,
    ALWAYS
  }

  /**
   * Reads what is common to both.
   *
   * @param echo whether the answer begins with its prompt
   */
  static Generation read(
      JsonFields fields, int logprobs, boolean echo, ModelLimits limits, Seeds seeds) {
    boolean stream = fields.flag("stream", false);
    var maxTokens = fields.whole("max_completion_tokens", 1, Integer.MAX_VALUE);
    if (maxTokens == null) {
      maxTokens = fields.whole("max_tokens", echo ? 0 : 1, Integer.MAX_VALUE);
    }
    int promptLogprobs = promptLogprobs(fields, stream, limits);
    return new Generation(
        stream,
        usage(fields, stream),
        fields.count("n", 1, MOST_CHOICES, 1),
        maxTokens == null ? null : (Integer) maxTokens.intValue(),
        sampling(fields, limits, seeds),
        fields.find("seed") != null,
        stop(fields, limits, maxTokens),
        logprobs,
        echo ? Math.max(logprobs, promptLogprobs) : promptLogprobs,
        terms(fields));
  }

  /** Whether the token that follows the prompt is dropped. */
  boolean promptOnly() {
    return maxTokens != null && maxTokens == 0;
  }

  private static RequestTerms terms(JsonFields fields) {
    return new RequestTerms(
        fields.count("priority", Integer.MIN_VALUE, Integer.MAX_VALUE, 0),
        Objects.requireNonNullElse(fields.text("user"), ""),
        cacheSalt(fields),
        seconds(fields, "queue_timeout"),
        seconds(fields, "request_timeout"));
  }

  private static int promptLogprobs(JsonFields fields, boolean stream, ModelLimits limits) {
    if (fields.find("prompt_logprobs") == null) {
      return -1;
    }
    int asked = fields.count("prompt_logprobs", 0, limits.maxLogprobs(), 0);
    if (stream) {
      throw ApiException.field("prompt_logprobs", "is not available with stream: true");
    }
    return asked;
  }

  private static String cacheSalt(JsonFields fields) {
    var salt = fields.text("cache_salt");
    if (salt != null && salt.isEmpty()) {
      throw ApiException.field("cache_salt", "found an empty string, expected a text, or nothing");
    }
    return Objects.requireNonNullElse(salt, "");
  }

  private static Duration seconds(JsonFields fields, String name) {
    if (fields.find(name) == null) {
      return RequestTerms.NO_TIMEOUT;
    }
    double most = RequestTerms.NO_TIMEOUT.toSeconds();
    return Duration.ofNanos((long) (1e9 * fields.real(name, Double.MIN_VALUE, most, most)));
  }

  /** The sampling of the first answer to prompt number {@code prompt}. */
  SamplingParams sampling(int prompt) {
    return sampling.withSeed(sampling.seed() + (seeded ? 0 : (long) prompt * n));
  }

  private static StreamUsage usage(JsonFields fields, boolean stream) {
    var options = fields.object("stream_options");
    if (options == null || options.node().isEmpty()) {
      return StreamUsage.NONE;
    }
    if (!stream) {
      throw ApiException.field("stream_options", "is only allowed with stream: true");
    }
    boolean always = options.flag("continuous_usage_stats", false);
    if (!options.flag("include_usage", false)) {
      return StreamUsage.NONE;
    }
    return always ? StreamUsage.ALWAYS : StreamUsage.AT_END;
  }

  private static SamplingParams sampling(JsonFields fields, ModelLimits limits, Seeds seeds) {
    var given = limits.generation();
    var seed = fields.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE);
    return new SamplingParams(
        fields.real("temperature", 0, 100, or(given.temperature(), 1)),
        Math.max(
            0,
            fields.count("top_k", -1, Integer.MAX_VALUE, given.topK() == null ? 0 : given.topK())),
        fields.real("top_p", Double.MIN_VALUE, 1, or(given.topP(), 1)),
        fields.real("min_p", 0, 1, or(given.minP(), 0)),
        fields.real("repetition_penalty", Double.MIN_VALUE, 100, or(given.repetitionPenalty(), 1)),
        fields.real("presence_penalty", -2, 2, 0),
        fields.real("frequency_penalty", -2, 2, 0),
        logitBias(fields, limits.vocabulary()),
        seed == null ? seeds.next() : seed);
  }

  private static Map<Integer, Double> logitBias(JsonFields fields, int vocabulary) {
    var biases = fields.object("logit_bias");
    var byId = new HashMap<Integer, Double>();
    if (biases != null) {
      for (var entry : biases.node().properties()) {
        int id;
        try {
          id = Integer.parseInt(entry.getKey());
        } catch (NumberFormatException _) {
          id = -1;
        }
        if (id < 0 || id >= vocabulary) {
          throw ApiException.field(
              "logit_bias",
              "found the key \"%s\", expected token ids from 0 to %d"
                  .formatted(entry.getKey(), vocabulary - 1));
        }
        byId.put(id, biases.real(entry.getKey(), -100, 100, 0));
      }
    }
    return byId;
  }

  private static StopConditions stop(
      JsonFields fields, ModelLimits limits, @Nullable Long maxTokens) {
    Set<Integer> ids = new HashSet<>(fields.wholes("stop_token_ids", 0, limits.vocabulary() - 1));
    if (!fields.flag("ignore_eos", false)) {
      ids.addAll(limits.eosIds());
    }
    int minTokens = fields.count("min_tokens", 0, Integer.MAX_VALUE, 0);
    if (maxTokens != null && minTokens > maxTokens) {
      throw ApiException.field(
          "min_tokens", "%d is more than max_tokens %d".formatted(minTokens, maxTokens));
    }
    return new StopConditions(
        stopStrings(fields),
        fields.flag("include_stop_str_in_output", false),
        ids,
        minTokens,
        fields.flag("skip_special_tokens", true));
  }

  private static List<String> stopStrings(JsonFields fields) {
    var found = fields.find("stop");
    var strings = new ArrayList<String>();
    if (found != null) {
      for (JsonNode each : found.isArray() ? found : List.of(found)) {
        if (!each.isTextual() || each.textValue().isEmpty() || strings.size() == MOST_STOPS) {
          throw fields.wrong(
              "stop", found, "a string or at most %d strings, none empty".formatted(MOST_STOPS));
        }
        strings.add(each.textValue());
      }
    }
    return strings;
  }

  private static double or(@Nullable Double value, double byDefault) {
    return value == null ? byDefault : value;
  }
}
