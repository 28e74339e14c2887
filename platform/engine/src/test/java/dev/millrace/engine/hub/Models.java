package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.function.Executable;

/** A model's files, of which only the weights are large, and quick ways to fetch them. */
final class Models {
  static final Backoff QUICK = new Backoff(3, Duration.ofMillis(10), Duration.ofSeconds(2));
  static final Transfers SMALL = new Transfers(2, 4, 4096, 16_384);
  static final int WEIGHTS = 100_000;
  static final Set<String> SERVED =
      new TreeSet<>(
          Set.of(
              "config.json",
              "generation_config.json",
              "tokenizer.json",
              "tokenizer_config.json",
              "chat_template.jinja",
              "model.safetensors"));

  private Models() {}

  static FakeHub fill(FakeHub hub) {
    return hub.file("config.json", "{\"architectures\": [\"LlamaForCausalLM\"]}")
        .file("generation_config.json", "")
        .file("tokenizer.json", Models.noise(20_000, 5))
        .file("tokenizer_config.json", "{}")
        .file("chat_template.jinja", "{{ messages }}")
        .file("model.safetensors", noise(WEIGHTS, 7));
  }

  static byte[] noise(int length, long seed) {
    var bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static Path pull(HubSettings settings, String model) {
    return pull(settings, model, PullListener.NONE);
  }

  static Path pull(HubSettings settings, String model, PullListener listener) {
    try (var hub = new Hub(settings, QUICK, SMALL)) {
      return hub.pull(HubReference.parse(model).orElseThrow(), Extent.ALL, listener);
    }
  }

  static InferenceException fails(ErrorCode code, Executable action, String... said) {
    var e = assertThrows(InferenceException.class, action);
    assertEquals(code, e.code(), e.getMessage());
    for (String part : said) {
      assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage());
    }
    return e;
  }
}
