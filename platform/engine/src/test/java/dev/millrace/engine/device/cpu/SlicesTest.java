package dev.millrace.engine.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.cpu.NativeLinear.Slice;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlicesTest {
  /** Parts of these rows, one after the other. */
  private static List<Slice> parts(int... rows) {
    var matrix = new NativeMatrix(MemorySegment.NULL, MemorySegment.NULL, Operand.FLOATS);
    var parts = new ArrayList<Slice>();
    int output = 0;
    for (int count : rows) {
      parts.add(new Slice(matrix, output, 0, count));
      output += count;
    }
    return parts;
  }

  private static void requireAllInOrder(int rows, int threads, Slices slices) {
    int output = 0;
    for (var slice : slices.all()) {
      assertEquals(output, slice.output() + slice.first());
      assertTrue(slice.end() > slice.first());
      output += slice.end() - slice.first();
    }
    assertEquals(rows, output);
    assertEquals(threads + 1, slices.starts().length);
    assertEquals(0, slices.starts()[0]);
    assertEquals(slices.all().size(), slices.starts()[threads]);
  }

  private static List<Slice> run(Slices slices, int thread) {
    return slices.all().subList(slices.starts()[thread], slices.starts()[thread + 1]);
  }

  private static int rows(List<Slice> run) {
    return run.stream().mapToInt(slice -> slice.end() - slice.first()).sum();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0",
    "31, 2, 0",
    "2048, 2, 0",
    "2048, 3, 512",
    "2560, 2, 257",
    "5000, 64, 5000"
  })
  void threadsHaveAsManyRowsInSlicesThatTaper(int first, int threads, int second) {
    int rows = first + second;
    var slices = Slices.tapering(second == 0 ? parts(first) : parts(first, second), threads);
    requireAllInOrder(rows, threads, slices);
    for (int thread = 0; thread < threads; thread++) {
      var run = run(slices, thread);
      assertEquals((double) rows / threads, rows(run), Slices.ROWS + rows % (double) Slices.ROWS);
      if (second == 0) {
        for (int i = 1; i < run.size(); i++) {
          assertTrue(rows(run.subList(i, i + 1)) <= rows(run.subList(i - 1, i)));
        }
        int last = rows(run) == 0 ? 0 : rows(run.subList(run.size() - 1, run.size()));
        assertTrue(last <= Slices.LEAST, last + " rows in the last slice");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "100, 2", "320, 3"})
  void slicesAreOfOneSizeButForTheEndsOfParts(int rows, int threads) {
    var slices = Slices.even(parts(rows, 40), 32, threads);
    requireAllInOrder(rows + 40, threads, slices);
    assertEquals(Math.ceilDiv(rows, 32) + 2, slices.all().size());
    for (int thread = 0; thread < threads; thread++) {
      assertEquals((double) slices.all().size() / threads, run(slices, thread).size(), 1);
    }
  }
}
