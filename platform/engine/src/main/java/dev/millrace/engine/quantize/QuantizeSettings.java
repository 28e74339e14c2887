package dev.millrace.engine.quantize;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to make of which model.
 *
 * @param source directory of a model in F32, BF16 or F16
 * @param target directory that does not exist yet
 * @param group input columns that share a scale, in formats that have groups
 * @param include modules that are quantized besides: the token table and the head, by name or by
 *     the end of it
 * @param text to calibrate with; null: GPTQ and AWQ round to nearest like the others
 * @param samples sequences of the text, at most
 * @param sampleTokens length of each
 * @param damping GPTQ: part of the mean diagonal that is added to it
 * @param actOrder GPTQ: whether columns are rounded in the order of their weight in the output
 * @param threads that compute
 */
public record QuantizeSettings(
    Path source,
    Path target,
    QuantizedFormat format,
    int group,
    List<String> include,
    @Nullable Path text,
    int samples,
    int sampleTokens,
    double damping,
    boolean actOrder,
    int threads) {
  /** Checked when made; {@code INVALID_CONFIGURATION} names what is wrong. */
  public QuantizeSettings {
    include = List.copyOf(include);
    require(group >= 16 && group % 16 == 0, "group-size", group, "a multiple of 16");
    require(samples >= 1, "samples", samples, "at least 1");
    require(sampleTokens >= 2, "sample-tokens", sampleTokens, "at least 2");
    require(damping > 0 && damping < 1, "damping", damping, "above 0 and below 1");
    require(threads >= 1, "threads", threads, "at least 1");
    require(
        text == null || format.calibrated(),
        "calibration",
        text,
        "left out: " + format.label() + " only rounds to the nearest");
  }

  /** The calibration text, where one is used. */
  public boolean calibrates() {
    return text != null;
  }

  private static void require(boolean good, String what, @Nullable Object value, String wanted) {
    if (!good) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "%s is %s; it must be %s".formatted(what, value, wanted));
    }
  }
}
