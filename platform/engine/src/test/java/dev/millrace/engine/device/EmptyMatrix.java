package dev.millrace.engine.device;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A matrix that has a shape and no numbers: enough for recording. */
record EmptyMatrix(int rows, int cols) implements QuantizedMatrix {
  static MatrixLinear linear(int out, int in) {
    return MatrixLinear.withoutBias("linear", List.of(new EmptyMatrix(out, in)));
  }

  @Override
  public DeviceFormat format() {
    return new DeviceFormat.F32();
  }

  @Override
  public MemorySegment packed() {
    return MemorySegment.NULL;
  }

  @Override
  public void decodeRow(int row, float[] out) {
    throw new UnsupportedOperationException("there are no numbers");
  }
}
