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
    "./models/shop, shop",
    "/models/shop/, shop",
    "src/main, main",
    "models/shop-Q4_K_M.gguf, shop-Q4_K_M",
    "models/shop-00002-of-00003.gguf, shop",
    "./models/shop-00002-of-00003, shop-00002-of-00003",
    "org/shop, org/shop",
    "org/shop:v1.0, org/shop",
    "org/shop:Q8_0, org/shop:Q8_0",
    "org/shop/big/shop-Q8_0-00001-of-00002.gguf:v1.0, shop-Q8_0"
  })
  void aModelIsCalledAsItsDirectoryOrFileOrOnTheHub(String model, String name) {
    assertEquals(List.of(name), ModelNames.of(Settings.defaults().with(Keys.MODEL, model)));
  }

  @Test
  void namesThatAreSetCount() {
    var settings = Settings.defaults().with(Keys.MODEL, "a.gguf");
    assertEquals(
        List.of("x", "y"), ModelNames.of(settings.with(Keys.SERVED_MODEL_NAME, List.of("x", "y"))));
  }
}
