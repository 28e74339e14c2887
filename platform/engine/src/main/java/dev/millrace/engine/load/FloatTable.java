package dev.millrace.engine.load;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;

/** A matrix of plain floating-point numbers that the engine itself has laid out. */
record FloatTable(int rows, int cols, FloatCodec codec, MemorySegment packed)
    implements QuantizedMatrix {
  FloatTable {
    packed = packed.asReadOnly();
  }

  @Override
  public DeviceFormat format() {
    return codec.format();
  }

  @Override
  public void decodeRow(int row, float[] out) {
    codec.decode(packed, Math.multiplyFull(row, cols), out, cols);
  }
}
