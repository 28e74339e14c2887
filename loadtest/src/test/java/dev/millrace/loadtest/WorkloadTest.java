package dev.millrace.loadtest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkloadTest {
  private static List<CompletionCall> calls(LengthShape shape, int requests, int limit, long seed) {
    return new Workload(shape, requests, 48, 32, limit, seed).calls();
  }

  @Test
  void equalSeedsGiveEqualCalls() {
    var one = calls(LengthShape.CHAT, 100, 512, 7);
    var two = calls(LengthShape.CHAT, 100, 512, 7);
    for (int i = 0; i < 100; i++) {
      assertArrayEquals(one.get(i).prompt(), two.get(i).prompt());
      assertEquals(one.get(i).outputTokens(), two.get(i).outputTokens());
    }
    var other = calls(LengthShape.CHAT, 100, 512, 8);
    assertTrue(!Arrays.equals(one.getFirst().prompt(), other.getFirst().prompt()));
  }

  @Test
  void uniformCallsAreAllAlike() {
    for (var call : calls(LengthShape.UNIFORM, 20, 512, 1)) {
      assertEquals(48, call.prompt().length);
      assertEquals(32, call.outputTokens());
    }
  }

  @Test
  void chatKeepsTheAskedMeansAndHasALongTail() {
    var calls = calls(LengthShape.CHAT, 20_000, Integer.MAX_VALUE, 1);
    var prompts = calls.stream().mapToInt(c -> c.prompt().length).summaryStatistics();
    var outputs = calls.stream().mapToInt(CompletionCall::outputTokens).sorted().toArray();
    assertEquals(48, prompts.getAverage(), 1.5);
    assertEquals(32, Arrays.stream(outputs).average().orElseThrow(), 1);
    // half of the answers are short, the longest are four times the mean and more
    assertEquals(129 / 218.6 * 32, outputs[10_000], 2);
    assertTrue(outputs[19_999] > 128, "longest " + outputs[19_999]);
  }

  @Test
  void callsFitTheContext() {
    for (var call : calls(LengthShape.CHAT, 5_000, 64, 1)) {
      assertTrue(call.prompt().length + call.outputTokens() <= 64);
    }
  }

  @Test
  void idsAreOrdinaryTokens() {
    for (var call : calls(LengthShape.CHAT, 50, 512, 1)) {
      assertTrue(Arrays.stream(call.prompt()).allMatch(id -> id >= 16 && id < 256));
    }
  }

  @Test
  void emptyWorkloadsAreRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> new Workload(LengthShape.CHAT, 0, 48, 32, 512, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new Workload(LengthShape.CHAT, 1, 48, 32, 1, 1));
  }

  @Test
  void poissonArrivalsAreFixedBySeedAndMeetTheirRate() {
    var arrivals = Arrivals.poisson(20_000, 50, 3);
    assertArrayEquals(arrivals.offsetsNanos(), Arrivals.poisson(20_000, 50, 3).offsetsNanos());
    double seconds = arrivals.offsetNanos(19_999) / 1e9;
    assertEquals(400, seconds, 12);
    // gaps of a Poisson process spread as wide as their mean
    double squares = 0;
    for (int i = 1; i < 20_000; i++) {
      double gap = (arrivals.offsetNanos(i) - arrivals.offsetNanos(i - 1)) / 1e9;
      squares += (gap - 0.02) * (gap - 0.02);
    }
    assertEquals(0.02, Math.sqrt(squares / 19_999), 0.001);
  }

  @Test
  void heavyTailsKeepTheAskedMeanAndReachFarOut() {
    var outputs =
        calls(LengthShape.HEAVY_TAIL, 40_000, Integer.MAX_VALUE, 1).stream()
            .mapToInt(CompletionCall::outputTokens)
            .sorted()
            .toArray();
    assertEquals(32, Arrays.stream(outputs).average().orElseThrow(), 2);
    assertTrue(outputs[20_000] < 24, "median " + outputs[20_000]);
    assertTrue(outputs[39_999] > 400, "longest " + outputs[39_999]);
  }

  @Test
  void constantArrivalsAreEvenlySpaced() {
    var offsets = ArrivalShape.CONSTANT.schedule(5, 20, 1).offsetsNanos();
    assertArrayEquals(new long[] {0, 50_000_000, 100_000_000, 150_000_000, 200_000_000}, offsets);
  }

  @Test
  void burstsComeTogetherAndKeepTheMeanRate() {
    var offsets = ArrivalShape.BURST.schedule(17, 16, 1).offsetsNanos();
    assertEquals(0, offsets[7]);
    assertEquals(500_000_000, offsets[8]);
    assertEquals(500_000_000, offsets[15]);
    assertEquals(1_000_000_000, offsets[16]);
  }

  @Test
  void schedulesThatGoBackAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Arrivals(new long[] {5, 4}));
    assertThrows(IllegalArgumentException.class, () -> Arrivals.poisson(3, 0, 1));
  }
}
