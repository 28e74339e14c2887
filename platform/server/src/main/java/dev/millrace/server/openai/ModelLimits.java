package dev.millrace.server.openai;

import dev.millrace.engine.load.GenerationConfig;
import dev.millrace.server.serving.ServedModel;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a request is held against.
 *
 * @param vocabulary token ids run from 0 to vocabulary − 1
 * @param maxModelLen longest prompt and answer together, in tokens
 * @param maxLogprobs most alternatives per token
 * @param generation the checkpoint's own defaults
 */
record ModelLimits(
    int vocabulary,
    int maxModelLen,
    int maxLogprobs,
    Set<Integer> eosIds,
    GenerationConfig generation) {

  static ModelLimits of(ServedModel model, int maxLogprobs) {
    var loaded = model.loaded();
    return new ModelLimits(
        loaded.spec().vocabulary(),
        model.maxModelLen(),
        maxLogprobs,
        loaded.eosIds(),
        loaded.generation());
  }

  /**
   * The longest answer to a prompt, at least one token.
   *
   * @throws ApiException if the prompt, or what the request asks for besides, does not fit
   */
  int maxTokens(@Nullable Integer asked, int promptTokens, int byDefault) {
    if (promptTokens >= maxModelLen) {
      throw tooLong(
          "the prompt has %d tokens; this model's context holds %d, an answer included"
              .formatted(promptTokens, maxModelLen),
          promptTokens);
    }
    if (asked != null) {
      if ((long) promptTokens + asked > maxModelLen) {
        throw tooLong(
            "max_tokens is %d and the prompt has %d tokens; the context holds %d together"
                .formatted(asked, promptTokens, maxModelLen),
            promptTokens);
      }
      return Math.max(1, asked);
    }
    var given = generation.maxNewTokens();
    int most = given == null ? byDefault : Math.min(byDefault, given);
    return Math.max(1, Math.min(most, maxModelLen - promptTokens));
  }

  private ApiException tooLong(String message, int promptTokens) {
    return new ApiException(ApiError.tooLong(message, promptTokens, maxModelLen));
  }
}
