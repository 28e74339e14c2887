package dev.millrace.engine.load;

import dev.millrace.spi.quant.DType;
import java.util.List;

/**
 * Where one tensor lies in a safetensors file.
 *
 * @param begin first byte, from the end of the header
 * @param end the byte after the last
 */
record TensorEntry(String name, DType dtype, List<Long> shape, long begin, long end) {
  TensorEntry {
    shape = List.copyOf(shape);
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException("data_offsets [" + begin + ", " + end + "]");
    }
    long bytes = bytes(dtype, shape);
    if (bytes != end - begin) {
      throw new IllegalArgumentException(
          "%d bytes at data_offsets [%d, %d]; %s %s needs %d"
              .formatted(end - begin, begin, end, dtype, shape, bytes));
    }
  }

  private static long bytes(DType dtype, List<Long> shape) {
    try {
      long bytes = dtype.bytes();
      for (long size : shape) {
        if (size < 0) {
          throw new IllegalArgumentException("a negative size in shape " + shape);
        }
        bytes = Math.multiplyExact(bytes, size);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("more than 2^63 bytes of shape " + shape, e);
    }
  }
}
