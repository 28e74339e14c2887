package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/**
 * Worked examples of each layout: stored words beside the weights they stand for, cross-checked
 * with the programs that defined the layouts.
 */
final class Examples {
  private Examples() {}

  static JsonNode get(String name) throws IOException {
    var resource = Examples.class.getResourceAsStream("quant-examples.json.gz");
    try (var in = new GZIPInputStream(Objects.requireNonNull(resource))) {
      return new ObjectMapper().readTree(in).get(name);
    }
  }

  /** A tensor of I32, of a nested or flat array. */
  static byte[] words(JsonNode array) {
    var out = ByteBuffer.allocate(4 * count(array)).order(ByteOrder.LITTLE_ENDIAN);
    array
        .valueStream()
        .forEach(row -> {
          if (row.isArray()) {
            row.valueStream().forEach(word -> out.putInt(word.intValue()));
          } else {
            out.putInt(row.intValue());
          }
        });
    return out.array();
  }

  /** Bytes of an array of numbers from 0 to 255, or -128 to 127. */
  static byte[] octets(JsonNode array) {
    var out = ByteBuffer.allocate(count(array));
    array
        .valueStream()
        .forEach(row -> {
          if (row.isArray()) {
            row.valueStream().forEach(octet -> out.put((byte) octet.intValue()));
          } else {
            out.put((byte) row.intValue());
          }
        });
    return out.array();
  }

  static float[] floats(JsonNode array) {
    float[] out = new float[count(array)];
    int i = 0;
    for (var row : array) {
      if (row.isArray()) {
        for (var number : row) {
          out[i++] = number.floatValue();
        }
      } else {
        out[i++] = row.floatValue();
      }
    }
    return out;
  }

  private static int count(JsonNode array) {
    return array.valueStream().mapToInt(row -> row.isArray() ? row.size() : 1).sum();
  }

  /** Holds every row to the weights of an example, to the last bit but the sign of a zero. */
  static void assertWeights(JsonNode expected, QuantizedMatrix matrix) {
    assertEquals(expected.size(), matrix.rows());
    float[] row = new float[matrix.cols()];
    for (int r = 0; r < matrix.rows(); r++) {
      matrix.decodeRow(r, row);
      assertEquals(expected.get(r).size(), row.length);
      for (int i = 0; i < row.length; i++) {
        float weight = expected.get(r).get(i).floatValue();
        assertEquals(weight + 0f, row[i] + 0f, "row " + r + ", column " + i);
      }
    }
  }
}
