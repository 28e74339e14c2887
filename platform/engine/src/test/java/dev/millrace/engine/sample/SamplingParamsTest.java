package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplingParamsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          -0.1 | 0  | 1   | 0   | 1     | 0   | 0    | temperature is -0.1, it must be 0 to 100
          101  | 0  | 1   | 0   | 1     | 0   | 0    | temperature is 101.0, it must be 0 to 100
          NaN  | 0  | 1   | 0   | 1     | 0   | 0    | temperature is NaN, it must be 0 to 100
          1    | -1 | 1   | 0   | 1     | 0   | 0    | top_k is -1, it must be 0 (all) or more
          1    | 0  | 0   | 0   | 1     | 0   | 0    | top_p is 0.0, it must be above 0, at most 1
          1    | 0  | 1.5 | 0   | 1     | 0   | 0    | top_p is 1.5, it must be above 0, at most 1
          1    | 0  | NaN | 0   | 1     | 0   | 0    | top_p is NaN, it must be above 0, at most 1
          1    | 0  | 1   | -1  | 1     | 0   | 0    | min_p is -1.0, it must be 0 to 1
          1    | 0  | 1   | 1.1 | 1     | 0   | 0    | min_p is 1.1, it must be 0 to 1
          1    | 0  | 1   | 0   | 0     | 0   | 0    | repetition_penalty is 0.0, it must be above 0, at most 100
          1    | 0  | 1   | 0   | 100.5 | 0   | 0    | repetition_penalty is 100.5, it must be above 0, at most 100
          1    | 0  | 1   | 0   | 1     | 2.1 | 0    | presence_penalty is 2.1, it must be -2 to 2
          1    | 0  | 1   | 0   | 1     | NaN | 0    | presence_penalty is NaN, it must be -2 to 2
          1    | 0  | 1   | 0   | 1     | 0   | -2.1 | frequency_penalty is -2.1, it must be -2 to 2
          """)
  void aSettingOutOfItsRangeIsNamedWithTheRange(
      double temperature,
      int topK,
      double topP,
      double minP,
      double repetition,
      double presence,
      double frequency,
      String message) {
    var e =
        assertThrows(
            InferenceException.class,
            () ->
                new SamplingParams(
                    temperature, topK, topP, minP, repetition, presence, frequency, Map.of(), 0));
    assertEquals(ErrorCode.INVALID_REQUEST, e.code());
    assertEquals(message, e.getMessage());
  }

  @Test
  void theEndsOfTheRangesAreAllowed() {
    assertDoesNotThrow(() -> new SamplingParams(0, 0, 1e-9, 0, 1e-9, -2, -2, Map.of(), 0));
    assertDoesNotThrow(
        () -> new SamplingParams(100, Integer.MAX_VALUE, 1, 1, 100, 2, 2, Map.of(), -1));
  }

  @Test
  void theBiasIsACopy() {
    var bias = new HashMap<>(Map.of(1, 2.0));
    var params = Sampling.penalties(1, 0, 0, bias);
    bias.put(3, 4.0);
    assertEquals(Map.of(1, 2.0), params.logitBias());
  }
}
