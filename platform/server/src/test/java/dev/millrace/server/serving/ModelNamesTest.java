package dev.millrace.server.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelNamesTest {
  @ParameterizedTest
  @CsvSource({
    "models/shop, shop",
    "models/shop/, shop",
    "models/shop-Q4_K_M.gguf, shop-Q4_K_M",
    "models/shop-00002-of-00003.gguf, shop",
    "models/shop-00002-of-00003, shop-00002-of-00003"
  })
  void aModelIsCalledAsItsDirectoryOrFile(String model, String name) {
    assertEquals(List.of(name), ModelNames.of(Settings.defaults().with(Keys.MODEL, model)));
  }

  @Test
  void namesThatAreSetCount() {
    var settings = Settings.defaults().with(Keys.MODEL, "a.gguf");
    assertEquals(
        List.of("x", "y"), ModelNames.of(settings.with(Keys.SERVED_MODEL_NAME, List.of("x", "y"))));
  }
}
