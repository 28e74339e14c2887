package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Against sums done by hand, in numbers that floats hold exactly. */
class PenaltiesTest {
  private final Penalties penalties = new Penalties(5);

  @Test
  void repetitionDividesPositiveAndMultipliesNegativeLogitsOfPromptAndAnswer() {
    float[] logits = {2, -2, 3, 4, -5};
    var sequence = Sampling.answer(Sampling.prompt(0, 1, 1), 2);
    penalties.apply(logits, Sampling.penalties(2, 0, 0, Map.of()), sequence);
    assertArrayEquals(new float[] {1, -4, 1.5f, 4, -5}, logits);
  }

  @Test
  void repetitionBelowOneFavoursWhatWasSeen() {
    float[] logits = {2, -2, 3, 4, -5};
    penalties.apply(logits, Sampling.penalties(0.5, 0, 0, Map.of()), Sampling.prompt(0, 1));
    assertArrayEquals(new float[] {4, -1, 3, 4, -5}, logits);
  }

  @Test
  void presenceIsSubtractedOnceFromTokensOfTheAnswerAlone() {
    float[] logits = {1, 1, 1, 1, 1};
    var sequence = Sampling.answer(Sampling.prompt(0, 1), 1, 2, 2, 2);
    penalties.apply(logits, Sampling.penalties(1, 0.5, 0, Map.of()), sequence);
    assertArrayEquals(new float[] {1, 0.5f, 0.5f, 1, 1}, logits);
  }

  @Test
  void frequencyIsSubtractedForEachOccurrenceInTheAnswer() {
    float[] logits = {1, 1, 1, 1, 1};
    var sequence = Sampling.answer(Sampling.prompt(0, 1, 1), 1, 2, 2, 2);
    penalties.apply(logits, Sampling.penalties(1, 0, 0.25, Map.of()), sequence);
    assertArrayEquals(new float[] {1, 0.75f, 0.25f, 1, 1}, logits);
  }

  @Test
  void negativePenaltiesFavourTheAnswer() {
    float[] logits = {1, 1, 1, 1, 1};
    var sequence = Sampling.answer(Sampling.prompt(0), 3, 3);
    penalties.apply(logits, Sampling.penalties(1, -1, -0.5, Map.of()), sequence);
    assertArrayEquals(new float[] {1, 1, 1, 3, 1}, logits);
  }

  @Test
  void repetitionComesFirstThenPresenceAndFrequencyThenTheBias() {
    float[] logits = {2, -2, 3, 4, 0};
    var sequence = Sampling.answer(Sampling.prompt(0, 1, 1), 2, 2, 1);
    var params = Sampling.penalties(2, 0.5, 0.25, Map.of(1, 10.0, 3, -1.5));
    penalties.apply(logits, params, sequence);
    assertArrayEquals(new float[] {1, -4 - 0.5f - 0.25f + 10, 1.5f - 0.5f - 0.5f, 2.5f, 0}, logits);
  }

  @Test
  void aSequenceLeavesNothingBehindForTheNext() {
    var params = Sampling.penalties(2, 0.5, 0.25, Map.of());
    penalties.apply(new float[5], params, Sampling.answer(Sampling.prompt(0, 1), 2, 2, 3));
    float[] logits = {2, 2, 2, 2, 2};
    penalties.apply(logits, params, Sampling.answer(Sampling.prompt(4), 3));
    assertArrayEquals(new float[] {2, 2, 2, 0.25f, 1}, logits);
  }
}
