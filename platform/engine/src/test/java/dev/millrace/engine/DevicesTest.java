package dev.millrace.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.load.ModelSettings;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DevicesTest {
  @Test
  void kernelsAreOpenedByName() {
    for (String kernels : new String[] {"vector", "reference"}) {
      try (var device = Devices.open(settings(kernels))) {
        assertEquals("cpu (" + kernels + " kernels, 2 threads)", device.name());
      }
    }
  }

  @Test
  void whatIsChosenWhereNothingIsAskedForIsNeverTheReference() {
    try (var device = Devices.open(settings("auto"))) {
      assertTrue(!device.name().contains("reference"), device.name());
    }
  }

  @Test
  void unknownKernelsAreRefusedWithTheNamesThereAre() {
    var error = assertThrows(InferenceException.class, () -> Devices.check(settings("fast")));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertEquals(
        "cpu-kernels fast is unknown; known: auto, amx, avx512bf16, avx512, avx2, vector,"
            + " reference",
        error.getMessage());
  }

  @Test
  void bytesAreMultipliedWhereTheProcessorDoes() {
    assumeTrue(NativeLibrary.get().multipliesBytes());
    try (var device = Devices.open(settings("avx512", "int8"))) {
      assertEquals("cpu (avx512+int8 kernels, 2 threads)", device.name());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"avx2", "vector", "reference"})
  void kernelsThatMultiplyNoBytesRefuseThem(String kernels) {
    assumeTrue(!kernels.equals("avx2") || NativeLibrary.sets().contains(InstructionSet.AVX2));
    var error =
        assertThrows(InferenceException.class, () -> Devices.check(settings(kernels, "int8")));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertEquals(
        "quantized-activations int8 needs native kernels for AVX-512 with VNNI, not cpu-kernels "
            + kernels,
        error.getMessage());
  }

  @Test
  void unknownActivationsAreRefused() {
    var error =
        assertThrows(InferenceException.class, () -> Devices.check(settings("auto", "int4")));
    assertEquals("quantized-activations int4 is unknown; known: none, int8", error.getMessage());
  }

  private static HostSettings settings(String kernels) {
    return settings(kernels, "none");
  }

  private static HostSettings settings(String kernels, String activations) {
    var model =
        new ModelSettings(
            "none", Path.of("none"), "", Map.of(), DtypeChoice.AUTO, LoadFormat.AUTO, 0);
    return new HostSettings(
        model,
        "auto",
        0.9,
        false,
        kernels,
        activations,
        2,
        "continuous",
        Map.of(),
        0,
        4,
        64,
        16,
        0,
        "auto",
        false,
        8,
        64);
  }
}
