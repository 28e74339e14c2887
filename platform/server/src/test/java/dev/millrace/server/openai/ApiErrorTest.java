package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ApiErrorTest {
  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void everyErrorHasAStatusAndABody(ErrorCode code) {
    var error = ApiError.of(new InferenceException(code, "why"));
    assertTrue(error.status() >= 400 && error.status() < 600);
    assertEquals("why", error.json().at("/error/message").asText());
    assertTrue(error.json().get("error").has("param"));
  }

  @Test
  void faultsOfTheRequestAreTheClients() {
    assertEquals(400, status(ErrorCode.INVALID_REQUEST));
    assertEquals(400, status(ErrorCode.CONTEXT_TOO_LONG));
    assertEquals(404, status(ErrorCode.UNKNOWN_MODEL));
    assertEquals(429, status(ErrorCode.QUEUE_FULL));
    assertEquals(500, status(ErrorCode.INTERNAL));
    assertEquals(503, status(ErrorCode.UNAVAILABLE));
    assertEquals(503, status(ErrorCode.QUEUE_TIMEOUT));
    assertEquals(504, status(ErrorCode.TIMED_OUT));
  }

  private static int status(ErrorCode code) {
    return ApiError.of(new InferenceException(code, "why")).status();
  }
}
