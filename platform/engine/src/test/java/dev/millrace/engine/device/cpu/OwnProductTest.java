package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.RowKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Who multiplies with a format of its plugin's own. */
class OwnProductTest {
  private static final int OUTPUTS = 70;
  private static final float[] NONE = {};
  private final AtomicInteger calls = new AtomicInteger();

  @Test
  void thePluginsKernelIsCalledForSlices() {
    float[] out = multiply(new Numbered(new DeviceFormat.Own(), Optional.of(this::fill)), bias());
    assertEquals(3, calls.get());
    for (int i = 0; i < OUTPUTS; i++) {
      assertEquals(100 * i + 1 + i, out[i]); // what the kernel writes, and the bias
    }
  }

  @Test
  void withoutAKernelRowsAreDecoded() {
    float[] out = multiply(new Numbered(new DeviceFormat.Own(), Optional.empty()), NONE);
    for (int i = 0; i < OUTPUTS; i++) {
      assertEquals(2 * i, out[i]);
    }
  }

  @Test
  void otherFormatsGoToTheDevice() {
    float[] out = multiply(new Numbered(new DeviceFormat.F32(), Optional.of(this::fill)), NONE);
    assertEquals(0, calls.get());
    assertEquals(-1, out[0]);
  }

  private void fill(
      MemorySegment x, long xStride, MemorySegment y, long yStride, int rows, int first, int end) {
    calls.incrementAndGet();
    assertEquals(2, x.getAtIndex(JAVA_FLOAT, 0));
    assertTrue(end - first <= 32);
    for (int row = 0; row < rows; row++) {
      for (int i = first; i < end; i++) {
        y.setAtIndex(JAVA_FLOAT, row * yStride + i, 100 * i + 1);
      }
    }
  }

  private static float[] bias() {
    float[] bias = new float[OUTPUTS];
    for (int i = 0; i < OUTPUTS; i++) {
      bias[i] = i;
    }
    return bias;
  }

  /** The outputs of one row, whose only input is 2. */
  private static float[] multiply(QuantizedMatrix matrix, float[] bias) {
    try (var workers = new Workers(2);
        var arena = Arena.ofShared()) {
      var x = new Rows(arena.allocateFrom(JAVA_FLOAT, 0, 2), 1, 1, 1);
      var y = new Rows(arena.allocate(JAVA_FLOAT, OUTPUTS), 0, OUTPUTS, OUTPUTS);
      Product device = (_, _, to, _) -> to.set(0, 0, -1);
      var linear =
          bias.length == 0
              ? MatrixLinear.withoutBias("m", List.of(matrix))
              : new MatrixLinear("m", List.of(matrix), bias);
      new OwnProduct(device, workers).run(linear, x, y, 1);
      float[] out = new float[OUTPUTS];
      y.read(0, 0, out, OUTPUTS);
      return out;
    }
  }

  /** One column: row i is i. */
  private record Numbered(DeviceFormat format, Optional<RowKernel> kernel)
      implements QuantizedMatrix {
    @Override
    public int rows() {
      return OUTPUTS;
    }

    @Override
    public int cols() {
      return 1;
    }

    @Override
    public MemorySegment packed() {
      return MemorySegment.NULL;
    }

    @Override
    public void decodeRow(int row, float[] out) {
      out[0] = row;
    }
  }
}
