package dev.millrace.server.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.InferenceHost;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Measures when it is told to, so that another program may measure in between: a line of input says
 * what, a line of JSON answers. In between, this process waits.
 *
 * <ul>
 *   <li>{@code prefill TOKENS}: {@code tokens_per_second} of one prompt
 *   <li>{@code decode STREAMS PROMPT OUTPUT}: {@code tokens_per_second} of all streams together
 *   <li>{@code machine}: {@code bytes_per_second}, and {@code peaks} by kind of numbers
 * </ul>
 */
final class Turns {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern WORD = Pattern.compile("\\S+");

  private final InferenceHost host;
  private final EngineBench bench;
  private final int threads;
  private final PrintWriter out;

  /** Measures on a host, whose model stays as it is. */
  Turns(InferenceHost host, int threads, PrintWriter out) {
    this.host = host;
    this.bench = new EngineBench(host.engine(), host.model().spec().vocabulary(), 1);
    this.threads = threads;
    this.out = out;
  }

  /** Says what there is, then answers until the input ends. */
  void take(BufferedReader in, double openSeconds) throws Exception {
    say(
        Map.of(
            "device", host.deviceName(),
            "formats", host.model().formats().toString(),
            "open_seconds", openSeconds,
            "work", ModelWork.of(host.model())));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      var words = WORD.matcher(line).results().map(MatchResult::group).toList();
      say(answer(words.getFirst(), numbers(words)));
    }
  }

  private static int[] numbers(List<String> words) {
    return words.stream().skip(1).mapToInt(Integer::parseInt).toArray();
  }

  private Object answer(String what, int... numbers) throws Exception {
    return switch (what) {
      case "prefill" -> rate(bench.prefill(numbers[0]));
      case "decode" -> rate(bench.decode(numbers[0], numbers[1], numbers[2]));
      case "machine" ->
          Map.of("bytes_per_second", Bandwidth.measure(threads), "peaks", Peaks.measure(threads));
      default ->
          throw new IllegalArgumentException(
              "expected prefill, decode or machine, not " + what + " " + Arrays.toString(numbers));
    };
  }

  private static Map<String, Double> rate(double tokensPerSecond) {
    return Map.of("tokens_per_second", tokensPerSecond);
  }

  private void say(Object answer) throws IOException {
    out.println(JSON.writeValueAsString(answer));
    out.flush();
  }
}
