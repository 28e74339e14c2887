package dev.millrace.models;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.ModelContract;
import dev.millrace.testkit.NativeDevices;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Nested;

class ModelsContractTest {
  abstract static class OnGolden extends ModelContract {
    private final String name;

    OnGolden(String name) {
      this.name = name;
    }

    @Override
    protected ModelPlugin plugin() {
      try {
        return Goldens.plugin(checkpoint().config().get("model_type").textValue());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    protected GoldenModel checkpoint() throws IOException {
      return Goldens.read(name);
    }
  }

  @Nested
  class Llama extends OnGolden {
    Llama() {
      super("llama");
    }
  }

  @Nested
  class LlamaWithTiedEmbeddings extends OnGolden {
    LlamaWithTiedEmbeddings() {
      super("llama3");
    }
  }

  @Nested
  class MistralWithAWindow extends OnGolden {
    MistralWithAWindow() {
      super("mistral_swa");
    }
  }

  @Nested
  class Qwen extends OnGolden {
    Qwen() {
      super("qwen");
    }
  }

  @Nested
  class Qwen2 extends OnGolden {
    Qwen2() {
      super("qwen2");
    }
  }

  @Nested
  class Qwen3 extends OnGolden {
    Qwen3() {
      super("qwen3");
    }
  }

  @Nested
  class Olmo2 extends OnGolden {
    Olmo2() {
      super("olmo2");
    }
  }

  @Nested
  class Phi3 extends OnGolden {
    Phi3() {
      super("phi3");
    }
  }

  @Nested
  class Starcoder2 extends OnGolden {
    Starcoder2() {
      super("starcoder2");
    }
  }

  @Nested
  class Gemma extends OnGolden {
    Gemma() {
      super("gemma");
    }
  }

  @Nested
  class Gemma2 extends OnGolden {
    Gemma2() {
      super("gemma2");
    }
  }

  @Nested
  class Gemma3 extends OnGolden {
    Gemma3() {
      super("gemma3_text");
    }
  }

  @Nested
  class Mixtral extends OnGolden {
    Mixtral() {
      super("mixtral");
    }
  }

  @Nested
  class Qwen3Moe extends OnGolden {
    Qwen3Moe() {
      super("qwen3_moe");
    }
  }

  /** With the fastest native kernels of the machine. */
  abstract static class OnNativeKernels extends OnGolden {
    OnNativeKernels(String name) {
      super(name);
    }

    @Override
    protected Device device(int threads) {
      assumeFalse(NativeLibrary.sets().isEmpty(), NativeLibrary.lack());
      return new NativeDevice(NativeLibrary.sets().getFirst(), threads);
    }
  }

  /** With tiles, which multiply any number of rows. */
  @Nested
  class LlamaInTiles extends OnGolden {
    LlamaInTiles() {
      super("llama3");
    }

    @Override
    protected Device device(int threads) {
      return NativeDevices.open(InstructionSet.AMX, threads);
    }
  }

  @Nested
  class NativeLlama extends OnNativeKernels {
    NativeLlama() {
      super("llama3");
    }
  }

  @Nested
  class NativeGemma2 extends OnNativeKernels {
    NativeGemma2() {
      super("gemma2");
    }
  }

  @Nested
  class NativeMixtral extends OnNativeKernels {
    NativeMixtral() {
      super("mixtral");
    }
  }

  abstract static class OnVectors extends OnGolden {
    OnVectors(String name) {
      super(name);
    }

    @Override
    protected Device device(int threads) {
      return new VectorDevice(threads);
    }
  }

  @Nested
  class VectorLlama extends OnVectors {
    VectorLlama() {
      super("llama3");
    }
  }

  @Nested
  class VectorGemma2 extends OnVectors {
    VectorGemma2() {
      super("gemma2");
    }
  }

  @Nested
  class VectorMixtral extends OnVectors {
    VectorMixtral() {
      super("mixtral");
    }
  }
}
