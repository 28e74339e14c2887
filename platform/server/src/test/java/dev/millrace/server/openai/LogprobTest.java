package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LogprobTest {
  @Test
  void isNeverBelowWhatJsonCanSay() {
    assertEquals(-9999, Logprob.shown(Float.NEGATIVE_INFINITY));
    assertEquals(-9999, Logprob.shown(-1e20f));
    assertEquals(-0.5f, Logprob.shown(-0.5f));
  }
}
