package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.testkit.PlainMatrices;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/**
 * Projections with random codes of four bits, in groups of 128, whatever the checkpoint says; all
 * else as it lies there. For measuring: a shape's matrices have the same codes.
 */
final class RandomCodes extends PlainMatrices {
  private static final DeviceFormat FORMAT = new DeviceFormat.Int4(128, false);
  private static final float SCALE = 0.005f;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment codes;

  /** Codes for matrices of up to so many bytes. */
  RandomCodes(long bytes) {
    codes = arena.allocate(bytes, 64);
    var random = new SplittableRandom(5);
    for (long i = 0; i + 4 <= bytes; i += 4) {
      codes.set(JAVA_INT_UNALIGNED, i, random.nextInt());
    }
  }

  @Override
  public String name() {
    return "random codes";
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var plain = super.read(matrix, checkpoint);
    if (!matrix.endsWith("_proj")) {
      return plain;
    }
    var layout = PackedLayout.of(FORMAT, plain.rows(), plain.cols());
    var packed = arena.allocate(layout.length(), 64);
    MemorySegment.copy(codes, 0, packed, 0, layout.scales());
    for (long at = layout.scales(); at < layout.length(); at += Float.BYTES) {
      packed.set(JAVA_FLOAT_UNALIGNED, at, SCALE);
    }
    return new Coded(plain.rows(), plain.cols(), packed);
  }

  /** A matrix that only devices read. */
  private record Coded(int rows, int cols, MemorySegment packed) implements QuantizedMatrix {
    @Override
    public DeviceFormat format() {
      return FORMAT;
    }

    @Override
    public int[] inputOrder() {
      return new int[0];
    }

    @Override
    public void decodeRow(int row, float[] out) {
      throw new UnsupportedOperationException("for devices that read codes");
    }
  }
}
