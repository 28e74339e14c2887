package dev.millrace.engine.load;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a model directory says about generating: where to stop, and the sampling values to use where
 * a request names none. A null is a value that the directory does not give.
 *
 * @param eos ids that end a sequence; empty if the directory names none
 * @param bos the id that begins a sequence
 * @param topK 0 or −1: no limit
 * @param doSample what the file says; like vLLM, the engine samples by temperature alone
 */
public record GenerationConfig(
    List<Integer> eos,
    @Nullable Integer bos,
    @Nullable Double temperature,
    @Nullable Integer topK,
    @Nullable Double topP,
    @Nullable Double minP,
    @Nullable Double repetitionPenalty,
    @Nullable Integer maxNewTokens,
    @Nullable Boolean doSample) {
  static final String FILE = "generation_config.json";

  public GenerationConfig {
    eos = List.copyOf(eos);
  }

  /**
   * Reads {@code generation_config.json}, if there is one; {@code eos_token_id} and {@code
   * bos_token_id} are taken from {@code config.json} where it does not give them. Negative ids,
   * which some files use for "none", count as absent.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming the file and the key of a value
   *     that has the wrong type
   */
  public static GenerationConfig open(Path directory) {
    JsonModelConfig model =
        JsonModelConfig.open(directory).failingWith(ErrorCode.INVALID_CHECKPOINT);
    Path file = directory.resolve(FILE);
    JsonModelConfig own =
        Files.exists(file)
            ? JsonModelConfig.read(file, ErrorCode.INVALID_CHECKPOINT)
            : model.empty();
    return of(own, model);
  }

  /**
   * The same, of a model without a directory.
   *
   * @param own what a generation_config.json would hold
   * @param model what a config.json would hold
   */
  static GenerationConfig of(JsonModelConfig own, JsonModelConfig model) {
    List<Integer> bos = ids("bos_token_id", own, model);
    return new GenerationConfig(
        ids("eos_token_id", own, model),
        bos.isEmpty() ? null : bos.getFirst(),
        real(own, "temperature"),
        integer(own, "top_k"),
        real(own, "top_p"),
        real(own, "min_p"),
        real(own, "repetition_penalty"),
        integer(own, "max_new_tokens"),
        own.has("do_sample") ? (Boolean) own.flag("do_sample", false) : null);
  }

  /** The same, with further ids that end a sequence. */
  GenerationConfig endingWith(List<Integer> others) {
    return new GenerationConfig(
        Stream.concat(eos.stream(), others.stream()).distinct().toList(),
        bos,
        temperature,
        topK,
        topP,
        minP,
        repetitionPenalty,
        maxNewTokens,
        doSample);
  }

  private static List<Integer> ids(String key, JsonModelConfig own, JsonModelConfig fallback) {
    return Stream.of(own, fallback)
        .map(config -> config.integers(key).stream().filter(id -> id >= 0).distinct().toList())
        .filter(ids -> !ids.isEmpty())
        .findFirst()
        .orElse(List.of());
  }

  private static @Nullable Double real(JsonModelConfig config, String key) {
    return config.has(key) ? (Double) config.real(key, 0) : null;
  }

  private static @Nullable Integer integer(JsonModelConfig config, String key) {
    return config.has(key) ? (Integer) config.integer(key) : null;
  }
}
