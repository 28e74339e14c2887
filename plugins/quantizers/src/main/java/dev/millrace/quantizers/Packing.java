package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Fills matrices from many threads, some rows at a time. */
final class Packing {
  /** Rows that are read together: of nibbles side by side, as many as a cache line has. */
  static final int TOGETHER = 128;

  private Packing() {}

  /** Where coded rows come from. Called by several threads. */
  interface Source {
    /** A reader for one thread, which keeps what it needs for many rows. */
    Rows reader();
  }

  /** Reads coded rows, mostly one after the other. Used by one thread. */
  interface Rows {
    void read(int row, CodedRow out);
  }

  /** Where rows of numbers come from. Called by several threads. */
  interface Numbers {
    /** A reader for one thread. */
    NumberRows reader();
  }

  /** Reads rows of numbers. Used by one thread. */
  interface NumberRows {
    void read(int row, float[] out);
  }

  /** Fills a matrix with integers or a table. */
  static void fill(PackedMatrix matrix, Source source) {
    forEachRow(
        matrix.rows(),
        () -> {
          var rows = source.reader();
          var row = new CodedRow(matrix.cols(), matrix.layout().groups());
          var packer = RowPacker.of(matrix);
          return i -> {
            rows.read(i, row);
            packer.put(i, row);
          };
        });
  }

  /** Fills a matrix in {@link DeviceFormat.F32}. */
  static void fillNumbers(PackedMatrix matrix, Numbers source) {
    forEachRow(
        matrix.rows(),
        () -> {
          var rows = source.reader();
          float[] numbers = new float[matrix.cols()];
          byte[] bytes = new byte[Math.multiplyExact(Float.BYTES, matrix.cols())];
          var target = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
          return i -> {
            rows.read(i, numbers);
            target.put(0, numbers);
            matrix.put(i, bytes);
          };
        });
  }

  /** Whether a test, of which each thread makes its own, holds for any row. */
  static boolean anyRow(int rows, Supplier<IntPredicate> worker) {
    var found = new AtomicBoolean();
    forEachRow(
        rows,
        () -> {
          var test = worker.get();
          return row -> {
            if (!found.get() && test.test(row)) {
              found.set(true);
            }
          };
        });
    return found.get();
  }

  /**
   * Does something with each row, on all threads, some rows that follow one another at a time.
   *
   * @param worker makes what one thread does, so that its scratch memory serves for many rows
   */
  static void forEachRow(int rows, Supplier<IntConsumer> worker) {
    forEachPart(
        rows,
        () -> {
          var work = worker.get();
          return (first, end) -> {
            for (int row = first; row < end; row++) {
              work.accept(row);
            }
          };
        });
  }

  /** Does something with rows that follow one another. */
  interface Part {
    void run(int first, int end);
  }

  /** Does something with {@link #TOGETHER} rows at a time, on all threads. */
  static void forEachPart(int rows, Supplier<Part> worker) {
    int parts = Math.ceilDiv(rows, TOGETHER);
    var next = new AtomicInteger();
    IntStream.range(0, Math.min(parts, ForkJoinPool.getCommonPoolParallelism() + 1))
        .parallel()
        .forEach(_ -> {
          var work = worker.get();
          for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
            work.run(part * TOGETHER, Math.min(rows, (part + 1) * TOGETHER));
          }
        });
  }
}
