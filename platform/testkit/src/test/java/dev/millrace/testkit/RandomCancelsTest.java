package dev.millrace.testkit;

import static dev.millrace.testkit.TestEngine.request;
import static dev.millrace.testkit.TestEngine.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.RequestTerms;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is cancelled, wherever it is, nothing of it stays behind. */
@Timeout(60)
@ParameterizedClass
@ValueSource(ints = {0, 1})
class RandomCancelsTest {
  @Parameter int stepsAhead;

  private static final int CANCELS = 5000;
  private static final int CROWD = 40;

  /** What became of an answer. */
  private enum Fate {
    CANCELLED,
    TIMED_OUT,
    FINISHED
  }

  /** A stream whose reader cancels it once it has seen so many events, and perhaps once more. */
  private record Reader(TokenStream stream, int patience, int longest, boolean twice) {
    Fate read() throws InterruptedException {
      for (int seen = 0; ; seen++) {
        if (seen == patience) {
          stream.cancel();
        }
        var event = stream.next();
        if (event instanceof StreamEvent.Finished(var reason, var usage)) {
          assertEquals(longest, usage.completionTokens(), reason.toString());
          return over(Fate.FINISHED);
        }
        if (event instanceof StreamEvent.Failed(var error)) {
          return over(
              switch (error.code()) {
                case CANCELLED -> Fate.CANCELLED;
                case TIMED_OUT -> Fate.TIMED_OUT;
                default -> throw new AssertionError("an answer failed", error);
              });
        }
      }
    }

    private Fate over(Fate fate) throws InterruptedException {
      if (twice) {
        stream.cancel();
        assertEquals(null, stream.next(Duration.ZERO), "a stream ends once");
      }
      return fate;
    }
  }

  @ParameterizedTest
  @CsvSource({"16, 24, 1024", "16, 6, 20"})
  void leakNothing(int sequences, int tokensPerStep, int blocks) throws Exception {
    var random = new SplittableRandom(blocks);
    var fates = new EnumMap<Fate, Integer>(Fate.class);
    var readers = new ArrayDeque<Reader>();
    try (var host =
        new TestEngine(
            stepsAhead, settings(sequences, tokensPerStep, blocks), new FirstComeFirstServed())) {
      while (fates.getOrDefault(Fate.CANCELLED, 0) < CANCELS) {
        while (readers.size() < CROWD) {
          submit(host, random, readers);
        }
        count(readers.remove(), fates);
      }
      assertEquals(
          0, host.engine.drain(Duration.ofSeconds(10)), () -> host.engine.stats().toString());
      while (!readers.isEmpty()) {
        count(readers.remove(), fates);
      }
      assertEquals(blocks, host.freeBlocksWhenIdle());
      assertEquals(blocks == 20, host.engine.stats().preemptions() > 0, "a tight pool preempts");
      assertTrue(fates.size() == Fate.values().length, fates.toString());
    }
  }

  private static void submit(TestEngine host, SplittableRandom random, ArrayDeque<Reader> readers) {
    int longest = 1 + random.nextInt(20);
    int[] prompt = random.ints(1 + random.nextInt(30), 0, ToyDecoder.VOCABULARY).toArray();
    Arrays.fill(prompt, 0, random.nextInt(prompt.length), 7); // so that some share blocks
    var request = request(prompt, longest);
    if (random.nextInt(10) == 0) {
      var limit = Duration.ofNanos(random.nextInt(3_000_000));
      request = request.with(new RequestTerms(0, "", "", RequestTerms.NO_TIMEOUT, limit));
    }
    int answers = random.nextInt(8) == 0 ? 3 : 1;
    for (var stream : host.engine.submit(request, answers)) {
      if (random.nextInt(4) == 0) {
        stream.cancel(); // wherever it is: perhaps in the inbox still
      }
      readers.add(new Reader(stream, random.nextInt(2 * longest), longest, random.nextBoolean()));
    }
  }

  private static void count(Reader reader, Map<Fate, Integer> fates) throws InterruptedException {
    fates.merge(reader.read(), 1, Integer::sum);
  }
}
