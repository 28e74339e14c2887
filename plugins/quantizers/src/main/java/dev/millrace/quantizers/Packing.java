package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/** Fills matrices from many threads, some rows at a time. */
final class Packing {
  /** Rows that are read together: of nibbles side by side, as many as a cache line has. */
  static final int TOGETHER = 128;

  private Packing() {}

  /** Where coded rows come from. Called by several threads. */
  interface Source {
    /** Gets rows ready that follow one another, {@link #TOGETHER} at most. */
    Rows at(int first, int count);
  }

  /** Some rows, for one thread. */
  interface Rows {
    /** Reads one of them, counted from the first. */
    void read(int i, CodedRow out);
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
          var rows = source.at(first, count);
          var row = new CodedRow(matrix.cols(), matrix.layout().groups());
          var packer = RowPacker.of(matrix);
          for (int i = 0; i < count; i++) {
            rows.read(i, row);
            packer.put(first + i, row);
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
