package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/** Fills matrices from many threads, some rows at a time. */
final class Packing {
  /** Rows that are read together: layouts that have rows side by side fill a cache line with it. */
  static final int TOGETHER = 16;

  private Packing() {}

  /** Where coded rows come from. */
  interface Source {
    /**
     * Reads rows that follow one another. Called by several threads.
     *
     * @param rows as many as are wanted; at most {@link #TOGETHER}, and {@code first} is a multiple
     *     of it
     */
    void read(int first, CodedRow[] rows);
  }

  /** Where the numbers of a row come from. Called by several threads. */
  interface Numbers {
    /** Reads one row. */
    void read(int row, float[] out);
  }

  /** Fills a matrix with integers or a table. */
  static void fill(PackedMatrix matrix, Source source) {
    inParts(
        matrix.rows(),
        (first, count) -> {
          var rows = new CodedRow[count];
          for (int i = 0; i < count; i++) {
            rows[i] = new CodedRow(matrix.cols(), matrix.layout().groups());
          }
          source.read(first, rows);
          var packer = RowPacker.of(matrix);
          for (int i = 0; i < count; i++) {
            packer.put(first + i, rows[i]);
          }
        });
  }

  /** Fills a matrix in {@link DeviceFormat.F32}. */
  static void fillNumbers(PackedMatrix matrix, Numbers source) {
    inParts(
        matrix.rows(),
        (first, count) -> {
          float[] numbers = new float[matrix.cols()];
          byte[] bytes = new byte[Math.multiplyExact(Float.BYTES, matrix.cols())];
          var target = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
          for (int row = first; row < first + count; row++) {
            source.read(row, numbers);
            target.put(0, numbers);
            matrix.put(row, bytes);
          }
        });
  }

  /** Does something with rows. */
  interface Part {
    void run(int first, int count);
  }

  /** Cuts rows into parts and does them in parallel. */
  static void inParts(int rows, Part part) {
    IntStream.range(0, Math.ceilDiv(rows, TOGETHER))
        .parallel()
        .map(i -> i * TOGETHER)
        .forEach(first -> part.run(first, Math.min(TOGETHER, rows - first)));
  }
}
