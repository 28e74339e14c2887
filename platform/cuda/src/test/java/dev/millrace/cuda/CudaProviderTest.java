package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.DeviceProvider;
import dev.millrace.engine.device.DeviceSettings;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import dev.millrace.testkit.EncodedMatrix;
import dev.millrace.testkit.StepDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the device says where there is no usable card, and when one runs out or breaks. */
class CudaProviderTest {
  private static final ModelSpec SPEC = new ModelSpec(8, 8, 64, List.of(new KvLayer(1, 8, 8, 0)));
  private static final KvLayout LAYOUT = new KvLayout(4, 4, KvDtype.BFLOAT16);

  /** Gives back what it embeds. */
  private record Echo(QuantizedMatrix table) implements Model {
    Echo() {
      this(EncodedMatrix.random(8, 8, new DeviceFormat.F32(), new SplittableRandom(1)));
    }

    @Override
    public Tensor hidden(Ops ops) {
      return ops.embed(new MatrixEmbedding("table", table));
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return rows;
    }
  }

  @AfterEach
  void everythingWasGivenBack() {
    SimulatedDriver.use();
    SimulatedDriver.requireEmpty();
  }

  @Test
  void isFoundByTheHost() {
    var names = ServiceLoader.load(DeviceProvider.class).stream().map(p -> p.get().name()).toList();
    assertEquals(List.of("cuda"), names);
  }

  @ParameterizedTest
  @CsvSource({
    "driver=11040, CUDA 11.4",
    "devices=0, sees no GPU",
    "architecture=75, compute capability is 7.5"
  })
  void whatIsMissingIsSaid(String lack, String said) {
    SimulatedDriver.device().close();
    SimulatedDriver.set(lack);
    var error =
        assertThrows(
            InferenceException.class, () -> new CudaProvider().open(new DeviceSettings(1, false)));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertTrue(String.valueOf(error.getMessage()).contains(said), error.getMessage());
  }

  @Test
  void otherCardsGetPtx() {
    SimulatedDriver.device().close();
    SimulatedDriver.set("architecture=100");
    try (var device = new CudaProvider().open(new DeviceSettings(1, false))) {
      assertEquals("cuda (Simulated sm_100, driver for CUDA 13.0)", device.name());
    }
  }

  @Test
  void allSourcesAreLoaded() throws IOException {
    var folder = Path.of(System.getProperty("millrace.root", "../.."), "kernels/cuda");
    try (Stream<Path> files = Files.list(folder)) {
      var sources =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".cu"))
              .map(name -> name.replace(".cu", ""))
              .sorted()
              .toList();
      assertEquals(sources, KernelModules.SOURCES);
    }
  }

  @Test
  void allocationsThatFailLeaveNothingBehind() {
    try (var device = SimulatedDriver.device()) {
      for (int n = 1; n < 100; n++) {
        SimulatedDriver.set("fail-allocation=" + n);
        try (var model = device.load(new Echo(), SPEC, LAYOUT)) {
          model.reserve(16);
          SimulatedDriver.set("fail-allocation=0");
          assertTrue(n > 3, "a model of a few allocations");
          return;
        } catch (InferenceException e) {
          assertEquals(ErrorCode.OUT_OF_MEMORY, e.code());
          assertTrue(String.valueOf(e.getMessage()).contains("GPU memory"), e.getMessage());
        }
        SimulatedDriver.set("fail-allocation=0");
        assertEquals(0, SimulatedDriver.count("bytes"));
      }
    }
  }

  @Test
  void aStepThatGetsNoMemoryIsLostAndTheNextIsNot() {
    try (var device = SimulatedDriver.device();
        var model = device.load(new Echo(), SPEC, LAYOUT)) {
      var driver = new StepDriver(model, 4, 4, 8);
      SimulatedDriver.set("fail-allocation=1");
      var sequence = driver.sequence(1, 2, 3);
      var error = assertThrows(InferenceException.class, () -> driver.finish(sequence));
      assertEquals(ErrorCode.OUT_OF_MEMORY, error.code());
      SimulatedDriver.set("fail-allocation=0");
      assertEquals(8, driver.finish(driver.sequence(1, 2, 3)).length);
    }
  }

  @Test
  void aBrokenContextIsALostDevice() {
    var device = SimulatedDriver.device();
    var model = device.load(new Echo(), SPEC, LAYOUT);
    var driver = new StepDriver(model, 4, 4, 8);
    SimulatedDriver.set("fail-launch=1");
    for (int i = 0; i < 2; i++) {
      var sequence = driver.sequence(1, 2, 3);
      var error = assertThrows(InferenceException.class, () -> driver.finish(sequence));
      assertEquals(ErrorCode.DEVICE_LOST, error.code());
      assertTrue(
          String.valueOf(error.getMessage()).contains("ILLEGAL_ADDRESS"), error.getMessage());
      driver.preempt(sequence);
    }
    model.close();
    device.close();
  }

  static List<Arguments> codesOfEightBits() {
    return List.of(
        Arguments.of(new DeviceFormat.Int8(0, false), 1),
        Arguments.of(new DeviceFormat.Int8(0, true), 2),
        Arguments.of(new DeviceFormat.Int8(32, false), 4),
        Arguments.of(new DeviceFormat.Int8(32, true), 8),
        Arguments.of(new DeviceFormat.Fp8(0, 0), 1),
        Arguments.of(new DeviceFormat.Fp8(1, 96), 4),
        Arguments.of(new DeviceFormat.Fp8(64, 128), 1));
  }

  /** One byte a weight, and four for each scale and zero of a row. */
  @ParameterizedTest
  @MethodSource("codesOfEightBits")
  void codesOfEightBitsStayPacked(DeviceFormat format, long numbersOfRow) {
    long packed = loadedBytes(format);
    long plain = loadedBytes(new DeviceFormat.Bf16());
    assertEquals(128 * (128 + 4 * numbersOfRow), packed - (plain - 128 * 128 * 2));
  }

  /** Half a byte a weight, four for each scale, and the 16 numbers, which take a section. */
  @Test
  void codesThatNameNumbersStayPacked() {
    long packed = loadedBytes(new DeviceFormat.Code4(32));
    long plain = loadedBytes(new DeviceFormat.Bf16());
    assertEquals(128 * (64 + 4 * 4) + 256, packed - (plain - 128 * 128 * 2));
  }

  /** Bytes on the card with a table of 128 by 128 weights in a format. */
  private static long loadedBytes(DeviceFormat format) {
    var table = EncodedMatrix.random(128, 128, format, new SplittableRandom(1));
    var spec = new ModelSpec(128, 128, 64, SPEC.layers());
    try (var device = SimulatedDriver.device();
        var _ = device.load(new Echo(table), spec, LAYOUT)) {
      return SimulatedDriver.count("bytes");
    }
  }

  @Test
  void memoryIsWhatTheCardHas() {
    try (var device = SimulatedDriver.device();
        var model = device.load(new Echo(), SPEC, LAYOUT)) {
      var memory = device.memory().orElseThrow();
      assertEquals(1 << 30, memory.total());
      assertTrue(memory.free() < memory.total());
      assertFalse(memory.usable() > 0.9 * memory.total());
      assertTrue(device.modelBytes(new Echo(), SPEC, KvDtype.BFLOAT16, 64) > 0);
      model.reserve(64);
    }
  }
}
