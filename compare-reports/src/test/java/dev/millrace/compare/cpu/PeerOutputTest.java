package dev.millrace.compare.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compare.CompareException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What llama.cpp b11669 printed. */
class PeerOutputTest {
  private static String recorded(String file) throws IOException {
    try (var in = Objects.requireNonNull(PeerOutputTest.class.getResourceAsStream(file))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void readsTheRateOfASingleTest() throws IOException {
    assertEquals(6.196367, PeerOutput.bench(recorded("llama-bench.json")));
  }

  @Test
  void readsTheRateOfAllStreamsWhileTheyDecode() throws IOException {
    assertEquals(8.115776, PeerOutput.batched("\n" + recorded("llama-batched-bench.jsonl")));
  }

  @Test
  void readsTheMeanOfDivergencesAndNotTheirMedian() throws IOException {
    String text = recorded("llama-perplexity.txt");
    assertEquals(0.0, PeerOutput.divergence(text).orElseThrow());
    String other = text.replaceFirst("(Mean +KLD: +)0\\.000000", "$10.012345");
    assertEquals(0.012345, PeerOutput.divergence(other).orElseThrow());
  }

  @Test
  void tellsWhatWasPrintedInstead() {
    var failure = assertThrows(CompareException.class, () -> PeerOutput.bench("out of memory"));
    assertTrue(failure.toString().contains("out of memory"), failure.toString());
    assertThrows(CompareException.class, () -> PeerOutput.batched("main: n_kv_max = 4096"));
    assertTrue(PeerOutput.divergence("killed").isEmpty());
  }
}
