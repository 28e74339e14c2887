package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Products of bytes by the native functions themselves: rows of several tiles, and what is beside
 * them.
 */
class IntegerProductTest {
  private static final int ROWS = 37;
  private static final int SLICE = 32;
  private static final int GUARD = 3;
  private static final float UNTOUCHED = 12345;
  private static final byte MARK = 0x5A;

  private final SplittableRandom random = new SplittableRandom(31);
  private final Arena arena = Arena.ofShared();

  @BeforeEach
  void need() {
    assumeTrue(NativeLibrary.get().multipliesBytes(), "AVX-512 VNNI");
  }

  @AfterEach
  void close() {
    arena.close();
  }

  static List<DeviceFormat> formats() {
    var formats = new ArrayList<DeviceFormat>();
    for (boolean zeros : new boolean[] {false, true}) {
      formats.add(new DeviceFormat.Int8(0, zeros));
      for (int group : new int[] {16, 32, 64, 128}) {
        formats.add(new DeviceFormat.Int8(group, zeros));
        formats.add(new DeviceFormat.Int4(group, zeros));
      }
    }
    return formats;
  }

  @ParameterizedTest
  @MethodSource("formats")
  void outputsAreThoseOfQuantisedActivationsAndOfNothingElse(DeviceFormat format) {
    for (int width : new int[] {1, 31, 511, 512, 513, 688, 1100}) {
      var matrix = new Weights(format, width);
      for (int tokens : new int[] {1, 2, 3, 4, 5, 6, 7, 16, 17, 70}) {
        requireProducts(matrix, tokens);
      }
    }
  }

  /** More than what few tokens pass at a time, and than what many keep in a cache. */
  @ParameterizedTest
  @CsvSource({"16500, 1", "16500, 4", "16500, 5", "40, 193", "600, 400"})
  void rowsAndTokensAreAsManyAsOneLikes(int width, int tokens) {
    requireProducts(new Weights(new DeviceFormat.Int4(32, true), width), tokens);
    requireProducts(new Weights(new DeviceFormat.Int8(0, false), width), tokens);
  }

  /** Each token has what it is close to, and the same bits alone. */
  private void requireProducts(Weights matrix, int tokens) {
    float[][] x = activations(tokens, matrix.cols());
    float[][] y = multiply(matrix, x);
    for (int t = 0; t < tokens; t++) {
      requireClose(matrix, quantised(x[t]), y[t]);
      if (t % 8 == 0) {
        assertArrayEquals(y[t], multiply(matrix, new float[][] {x[t]})[0], "token " + t);
      }
    }
  }

  @Test
  void numbersThatAreNotFiniteMakeTheirOwnRowNaN() {
    for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      for (int at : new int[] {0, 600}) {
        var matrix = new Weights(new DeviceFormat.Int4(32, true), 601);
        float[][] x = activations(3, 601);
        float[][] plain = multiply(matrix, x);
        x[1][at] = odd;
        float[][] y = multiply(matrix, x);
        assertArrayEquals(plain[0], y[0]);
        assertArrayEquals(plain[2], y[2]);
        for (float output : y[1]) {
          assertTrue(Float.isNaN(output), odd + " at " + at + " gave " + output);
        }
      }
    }
  }

  @Test
  void zerosAndNumbersTooSmallToDivideByGiveZero() {
    var matrix = new Weights(new DeviceFormat.Int8(64, true), 100);
    float[][] x = new float[2][100];
    Arrays.fill(x[1], 0x1p-120f);
    for (float[] row : multiply(matrix, x)) {
      assertArrayEquals(new float[ROWS], row);
    }
  }

  private float[][] activations(int tokens, int width) {
    float[][] x = new float[tokens][width];
    for (float[] row : x) {
      for (int i = 0; i < width; i++) {
        row[i] = (float) (random.nextGaussian() * (i % 97 == 0 ? 30 : 1));
      }
    }
    return x;
  }

  /** What a row stands for once each 16 columns of it are bytes with a scale. */
  private static double[] quantised(float[] row) {
    double[] out = new double[row.length];
    for (int start = 0; start < row.length; start += 16) {
      int end = Math.min(row.length, start + 16);
      float largest = 0;
      for (int i = start; i < end; i++) {
        largest = Math.max(largest, Math.abs(row[i]));
      }
      for (int i = start; i < end; i++) {
        out[i] = Math.rint(row[i] * (127 / largest)) * (largest / 127);
      }
    }
    return out;
  }

  private static void requireClose(Weights matrix, double[] x, float[] y) {
    for (int row = 0; row < ROWS; row++) {
      double sum = 0;
      double size = 0;
      for (int c = 0; c < x.length; c++) {
        double product = x[c] * matrix.weights[row][c];
        sum += product;
        size += Math.abs(product);
      }
      assertEquals(sum, y[row], 2e-6 * size + 1e-30, matrix.format() + ", row " + row);
    }
  }

  /** Outputs of all tokens, in slices; memory beside what the functions may write is checked. */
  private float[][] multiply(Weights matrix, float[][] x) {
    var functions =
        new NativeFunctions(NativeLibrary.get(), InstructionSet.AVX512, LinearActivations.INT8);
    int tokens = x.length;
    int width = matrix.cols();
    try (var step = Arena.ofShared()) {
      var in = step.allocate(JAVA_FLOAT, (long) tokens * (width + GUARD));
      in.fill((byte) 0x7F); // NaN where nobody may look
      for (int t = 0; t < tokens; t++) {
        MemorySegment.copy(x[t], 0, in, JAVA_FLOAT, 4L * t * (width + GUARD), width);
      }
      long bytes = QuantisedActivations.bytes(width, tokens);
      var tiles = step.allocate(bytes + 64, 64).fill(MARK);
      functions.quantiseRows(new Rows(in, 0, width + GUARD, width), tiles.address(), 0, tokens);
      for (long i = bytes; i < tiles.byteSize(); i++) {
        assertEquals(MARK, tiles.get(JAVA_BYTE, i), "behind the quantised activations");
      }
      int stride = ROWS + GUARD;
      var out = step.allocate(JAVA_FLOAT, (long) (tokens + 1) * stride);
      for (long i = 0; i < (long) (tokens + 1) * stride; i++) {
        out.setAtIndex(JAVA_FLOAT, i, UNTOUCHED);
      }
      var ready = NativeMatrix.of(matrix, Operand.BYTES, functions, step);
      for (int first = 0; first < ROWS; first += SLICE) {
        var slice = new NativeLinear.Slice(ready, 0, first, Math.min(ROWS, first + SLICE));
        functions.integerProduct(
            slice, tiles.address(), out.address() + 4L * GUARD, stride, 0, tokens);
      }
      float[][] y = new float[tokens][ROWS];
      for (int t = 0; t <= tokens; t++) {
        for (int i = 0; i < GUARD; i++) {
          assertEquals(UNTOUCHED, out.getAtIndex(JAVA_FLOAT, (long) t * stride + i));
        }
        if (t < tokens) {
          MemorySegment.copy(out, JAVA_FLOAT, 4L * (t * stride + GUARD), y[t], 0, ROWS);
        }
      }
      return y;
    }
  }

  /** Random weights outside the heap, at an odd address. */
  private final class Weights implements QuantizedMatrix {
    private final DeviceFormat format;
    private final int cols;
    private final PackedLayout layout;
    private final MemorySegment packed;
    private final double[][] weights;

    Weights(DeviceFormat format, int cols) {
      this.format = format;
      this.cols = cols;
      this.layout = PackedLayout.of(format, ROWS, cols);
      this.packed = arena.allocate(layout.length() + 1, 8).asSlice(1);
      for (long i = 0; i < layout.scales(); i++) {
        packed.set(JAVA_BYTE, i, (byte) random.nextInt(-127, 128));
      }
      for (long at = layout.scales(); at < layout.length(); at += Float.BYTES) {
        packed.set(JAVA_FLOAT_UNALIGNED, at, (float) random.nextDouble(-1, 1));
      }
      this.weights = new double[ROWS][cols];
      for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < cols; col++) {
          weights[row][col] = weight(row, col);
        }
      }
    }

    private double weight(int row, int col) {
      return switch (format) {
        case DeviceFormat.Int8(int group, boolean zeros, _) -> {
          long part = (long) row * layout.groups() + (group == 0 ? 0 : col / group);
          yield scaled(packed.get(JAVA_BYTE, (long) row * cols + col), part, zeros);
        }
        case DeviceFormat.Int4(int group, boolean zeros, _) -> {
          long part = (long) row * layout.groups() + col / group;
          int both = packed.get(JAVA_BYTE, row * layout.rowBytes() + 16L * (col / 32) + col % 16);
          int code = col % 32 < 16 ? both & 15 : both >> 4 & 15;
          yield scaled(zeros ? code : code - 8, part, zeros);
        }
        default -> throw new AssertionError(format);
      };
    }

    private double scaled(int number, long part, boolean zeros) {
      double scale = packed.get(JAVA_FLOAT_UNALIGNED, layout.scales() + 4 * part);
      double zero = zeros ? packed.get(JAVA_FLOAT_UNALIGNED, layout.behind() + 4 * part) : 0;
      return number * scale - zero;
    }

    @Override
    public int rows() {
      return ROWS;
    }

    @Override
    public int cols() {
      return cols;
    }

    @Override
    public DeviceFormat format() {
      return format;
    }

    @Override
    public MemorySegment packed() {
      return packed;
    }

    @Override
    public void decodeRow(int row, float[] out) {
      for (int col = 0; col < cols; col++) {
        out[col] = (float) weights[row][col];
      }
    }
  }
}
