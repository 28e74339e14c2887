package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelLocatorTest {
  private static Path fetched(HubReference wanted) {
    return Path.of("/cache", wanted.repository());
  }

  @Test
  void whatIsOnTheDiskWins() {
    assertEquals(Path.of("src/main"), ModelLocator.locate("src/main", ModelLocatorTest::fetched));
    assertEquals(
        Path.of("/cache/org/tiny"), ModelLocator.locate("org/tiny", ModelLocatorTest::fetched));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/no/such", "./org/tiny", "../org/tiny"})
  void pathsAreNoNamesOfAHub(String path) {
    assertEquals(Path.of(path), ModelLocator.locate(path, ModelLocatorTest::fetched));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny", "org/tiny/more", "models/tiny.gguf"})
  void otherNamesSayWhatWasTried(String model) {
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT,
        () -> ModelLocator.locate(model, ModelLocatorTest::fetched),
        Path.of(model).toAbsolutePath().toString(),
        "ORG/NAME:REVISION");
  }

  @Test
  void hubsRefusalSaysWhereElseWasLooked() {
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT,
        () ->
            ModelLocator.locate(
                "org/tiny",
                _ -> {
                  throw new InferenceException(ErrorCode.UNKNOWN_CHECKPOINT, "the hub has none");
                }),
        "the hub has none (and there is no " + Path.of("org/tiny").toAbsolutePath());
  }
}
