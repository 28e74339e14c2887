package dev.millrace.engine.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

class WeightFormatTest {
  @Test
  void everyFormatHasItsWords() {
    assertEquals("F32", WeightFormat.label(new DeviceFormat.F32()));
    assertEquals("BF16", WeightFormat.label(new DeviceFormat.Bf16()));
    assertEquals("F16", WeightFormat.label(new DeviceFormat.F16()));
    assertEquals("INT8 by row", WeightFormat.label(new DeviceFormat.Int8(0)));
    assertEquals(
        "INT8 in groups of 32 with zeros", WeightFormat.label(new DeviceFormat.Int8(32, true)));
    assertEquals("INT4 in groups of 64", WeightFormat.label(new DeviceFormat.Int4(64, false)));
    assertEquals(
        "INT4 in groups of 32, scales in F16",
        WeightFormat.label(new DeviceFormat.Int4(32, false, ScaleType.F16)));
    assertEquals(
        "INT8 in groups of 16 with zeros, scales on two levels",
        WeightFormat.label(new DeviceFormat.Int8(16, true, ScaleType.TWO_LEVEL)));
    assertEquals("CODE4 in groups of 16", WeightFormat.label(new DeviceFormat.Code4(16)));
    assertEquals("FP8 by matrix", WeightFormat.label(new DeviceFormat.Fp8(0, 0)));
    assertEquals("FP8 by row", WeightFormat.label(new DeviceFormat.Fp8(1, 0)));
    assertEquals("FP8 in groups of 128", WeightFormat.label(new DeviceFormat.Fp8(1, 128)));
    assertEquals("a format of its plugin's own", WeightFormat.label(new DeviceFormat.Own()));
    assertEquals("FP8 in blocks of 128 by 64", WeightFormat.label(new DeviceFormat.Fp8(128, 64)));
  }

  @Test
  void matricesOfAFormatAreCountedTogether() {
    var kept = new KeptWeights();
    kept.add(table(2, FloatCodec.BF16));
    kept.add(table(3, FloatCodec.F32));
    kept.add(table(4, FloatCodec.BF16));
    assertEquals(
        List.of(new WeightFormat("BF16", 2, 12), new WeightFormat("F32", 1, 12)), kept.formats());
  }

  private static FloatTable table(int cols, FloatCodec codec) {
    var bytes = MemorySegment.ofArray(new byte[cols * codec.bytes()]);
    return new FloatTable(1, cols, codec, bytes);
  }
}
