package dev.millrace.server.openai;

import dev.millrace.engine.load.GenerationConfig;
import dev.millrace.server.serving.ServedModel;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
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
   * The longest answer to a prompt. At least one token is asked for, so that a prompt that fills
   * the context is refused by the engine, in its words.
   *
   * @throws InferenceException {@code CONTEXT_TOO_LONG} if the request asks for more than fits
   */
  int maxTokens(@Nullable Integer asked, int promptTokens, int byDefault) {
    if (asked != null) {
      if (promptTokens < maxModelLen && (long) promptTokens + asked > maxModelLen) {
        throw new InferenceException(
            ErrorCode.CONTEXT_TOO_LONG,
            "max_tokens is %d and the prompt has %d tokens; the context holds %d together"
                .formatted(asked, promptTokens, maxModelLen));
      }
      return asked;
    }
    var given = generation.maxNewTokens();
    int most = given == null ? byDefault : Math.min(byDefault, given);
    return Math.max(1, Math.min(most, maxModelLen - promptTokens));
  }
}
