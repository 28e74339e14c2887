package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.ModelContract;
import java.io.IOException;
import org.junit.jupiter.api.Nested;

class LlamaContractTest {
  abstract static class OnLlama extends ModelContract {
    @Override
    protected ModelPlugin plugin() {
      return new LlamaPlugin();
    }
  }

  @Nested
  class WithItsOwnHead extends OnLlama {
    @Override
    protected GoldenModel checkpoint() throws IOException {
      return Goldens.read("llama");
    }
  }

  @Nested
  class WithTiedEmbeddings extends OnLlama {
    @Override
    protected GoldenModel checkpoint() throws IOException {
      return Goldens.read("llama3");
    }
  }
}
