package dev.millrace.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.InferenceException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopRuleTest {
  @Test
  void withoutStopsEveryDeltaPasses() {
    var rule = new StopRule(List.of(), false);
    assertEquals("abc", rule.feed("abc"));
    assertEquals("", rule.finish());
    assertFalse(rule.stopped());
  }

  @Test
  void whatMayBecomeAStopIsHeldBack() {
    var rule = new StopRule(List.of("</s>"), false);
    assertEquals("ab", rule.feed("ab<"));
    assertEquals("", rule.feed("/s"));
    assertEquals("</stop", rule.feed("top"));
    assertEquals("<", rule.feed("<<"));
    assertEquals("<", rule.finish());
  }

  @Test
  void aStopAcrossDeltasEndsTheText() {
    var rule = new StopRule(List.of("END", "\n\n"), false);
    assertEquals("one", rule.feed("one\n"));
    assertEquals("", rule.feed("\ntwo"));
    assertTrue(rule.stopped());
    assertEquals(Optional.of("\n\n"), rule.matched());
    assertEquals("", rule.feed("more"));
    assertEquals("", rule.finish());
  }

  @Test
  void theStopIsShownOnlyIfAskedFor() {
    assertEquals("a", new StopRule(List.of("XY"), false).feed("aXYb"));
    assertEquals("aXY", new StopRule(List.of("XY"), true).feed("aXYb"));
  }

  @Test
  void theFirstStopToBeCompleteWins() {
    assertEquals("ab", new StopRule(List.of("abcdef", "cd"), false).feed("abcdef"));
    assertEquals("x", new StopRule(List.of("b", "ab"), false).feed("xab"));
  }

  @Test
  void anEmptyStopIsRefused() {
    assertThrows(InferenceException.class, () -> new StopRule(List.of("a", ""), false));
  }

  @Test
  void theTextDoesNotDependOnHowItIsCut() {
    var random = new Random(7);
    for (int round = 0; round < 5_000; round++) {
      List<String> stops = List.of(word(random, 3), word(random, 4), word(random, 2));
      String text = word(random, 30);
      boolean include = random.nextBoolean();
      var whole = new StopRule(stops, include);
      String expected = whole.feed(text) + whole.finish();
      var cut = new StopRule(stops, include);
      var joined = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        int next = Math.min(text.length(), at + random.nextInt(4));
        joined.append(cut.feed(text.substring(at, next)));
        at = next;
      }
      joined.append(cut.finish());
      assertEquals(expected, joined.toString(), () -> stops + " in " + text);
      assertEquals(whole.matched(), cut.matched());
    }
  }

  private static String word(Random random, int most) {
    var word = new StringBuilder("a");
    for (int n = random.nextInt(most); n > 0; n--) {
      word.append((char) ('a' + random.nextInt(3)));
    }
    return word.toString();
  }
}
