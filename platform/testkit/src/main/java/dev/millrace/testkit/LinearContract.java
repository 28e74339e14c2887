package dev.millrace.testkit;

import static dev.millrace.testkit.MemoryMatrix.product;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link DeviceContract} asks of linears. */
abstract class LinearContract extends OperationContract {
  private static final int[] FORMAT_WIDTHS = {1, 15, 16, 17, 31, 32, 33, 64, 127, 128, 257};

  /** Rows of activations and of weights, with which devices may well go about otherwise. */
  private static final int MANY = 163;

  /** Columns through which devices may well pass in parts. */
  private static final int WIDE = 2083;

  /** What a linear makes of a row of activations that meets a matrix: by default nothing. */
  protected float[] activations(float[] row, QuantizedMatrix matrix) {
    return row;
  }

  /** Largest error of a linear of this format whose results are about 1. */
  protected double tolerance(DeviceFormat format) {
    return tolerance();
  }

  /** What a linear multiplies with: by default a row as it is decoded. */
  protected float[] weights(QuantizedMatrix matrix, int row) {
    float[] weights = new float[matrix.cols()];
    matrix.decodeRow(row, weights);
    return weights;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 31, 32, 33, 127, 128, 257})
  void linearsMultiplyAllTheirPartsAndAddTheBias(int width) {
    var first = MemoryMatrix.random(width, width, random);
    var second = MemoryMatrix.random(3, width, random);
    float[] bias = MemoryMatrix.numbers(random, width + 3);
    var linear = new MatrixLinear("both", List.of(first, second), bias);
    check(
        width,
        linear::apply,
        row -> {
          double[] out = new double[width + 3];
          for (int i = 0; i < out.length; i++) {
            float[] weights = i < width ? first.row(i) : second.row(i - width);
            out[i] = bias[i] + product(row, weights);
          }
          return out;
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void formatsOfTheirPluginsOwnMultiplyAsTheyDecode(boolean kernel) {
    var own = new OwnMatrix(MemoryMatrix.random(37, 65, random), kernel);
    check(
        65,
        MatrixLinear.withoutBias("own", List.of(own))::apply,
        row -> IntStream.range(0, 37).mapToDouble(i -> dot(row, own, i)).toArray());
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void everyFormatMultipliesAsItDecodes(DeviceFormat format) {
    for (int width : FORMAT_WIDTHS) {
      var matrix = EncodedMatrix.random(width + 5, width, format, random);
      var linear = MatrixLinear.withoutBias("encoded", List.of(matrix));
      check(
          width,
          linear::apply,
          row -> IntStream.range(0, width + 5).mapToDouble(i -> dot(row, matrix, i)).toArray(),
          tolerance(format));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void columnsInAnotherOrderMeetTheirInputs(DeviceFormat format) {
    for (int width : FORMAT_WIDTHS) {
      var parts =
          List.of(
              EncodedMatrix.reordered(7, width, format, random),
              EncodedMatrix.reordered(2, width, format, random));
      check(
          width,
          MatrixLinear.withoutBias("reordered", parts)::apply,
          row ->
              IntStream.range(0, 9).mapToDouble(i -> dot(row, parts.get(i / 7), i % 7)).toArray(),
          tolerance(format));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void everyFormatIsATokenTable(DeviceFormat format) {
    for (int width : FORMAT_WIDTHS) {
      check(EncodedMatrix.random(TOKENS, width, format, random), (x, _) -> x, row -> row);
      check(EncodedMatrix.reordered(TOKENS, width, format, random), (x, _) -> x, row -> row);
    }
  }

  @Test
  void partsOfSeveralFormatsMakeOneLinear() {
    var parts =
        EncodedMatrix.formats().stream()
            .map(format -> EncodedMatrix.random(3, 65, format, random))
            .toList();
    check(
        65,
        MatrixLinear.withoutBias("mixed", parts)::apply,
        row ->
            parts.stream()
                .flatMapToDouble(part -> IntStream.range(0, 3).mapToDouble(i -> dot(row, part, i)))
                .toArray(),
        EncodedMatrix.formats().stream().mapToDouble(this::tolerance).max().orElseThrow());
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void manyRowsMultiplyAsOneDoes(DeviceFormat format) {
    var matrix = EncodedMatrix.random(MANY, 65, format, random);
    check(
        EncodedMatrix.random(MANY, 65, new DeviceFormat.F32(), random),
        MatrixLinear.withoutBias("many", List.of(matrix))::apply,
        row -> IntStream.range(0, MANY).mapToDouble(i -> dot(row, matrix, i)).toArray(),
        tolerance(format));
  }

  static List<DeviceFormat> formatsOfWideRows() {
    return List.of(
        new DeviceFormat.F32(),
        new DeviceFormat.Bf16(),
        new DeviceFormat.Int8(0, false),
        new DeviceFormat.Int4(32, true),
        new DeviceFormat.Int4(16, false, ScaleType.TWO_LEVEL),
        new DeviceFormat.Code4(128),
        new DeviceFormat.Fp8(128, 128));
  }

  @ParameterizedTest
  @MethodSource("formatsOfWideRows")
  void wideRowsMultiplyAsNarrowOnesDo(DeviceFormat format) {
    var matrix = EncodedMatrix.random(7, WIDE, format, random);
    for (int rows : new int[] {TOKENS, MANY}) {
      check(
          EncodedMatrix.random(rows, WIDE, new DeviceFormat.F32(), random),
          MatrixLinear.withoutBias("wide", List.of(matrix))::apply,
          row -> IntStream.range(0, 7).mapToDouble(i -> dot(row, matrix, i)).toArray(),
          tolerance(format));
    }
  }

  final double dot(double[] a, QuantizedMatrix matrix, int row) {
    float[] activations = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      activations[i] = (float) a[i];
    }
    return product(OpsInDouble.widen(activations(activations, matrix)), weights(matrix, row));
  }
}
