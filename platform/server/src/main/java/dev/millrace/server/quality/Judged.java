package dev.millrace.server.quality;

import dev.millrace.engine.load.WeightFormat;
import java.util.List;

/**
 * What was found of one format.
 *
 * @param device that computed, with its kernels
 * @param formats that its matrices are kept in
 * @param right answers; −1 if no questions were asked
 * @param prefill tokens per second
 * @param decode tokens per second of one stream
 */
record Judged(
    String name,
    String device,
    List<WeightFormat> formats,
    TextScore text,
    int right,
    double prefill,
    double decode) {
  Judged {
    formats = List.copyOf(formats);
  }

  long bytes() {
    return formats.stream().mapToLong(WeightFormat::bytes).sum();
  }
}
