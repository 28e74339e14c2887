package dev.millrace.engine.gguf;

import java.util.List;

/**
 * Where one tensor lies in a GGUF file.
 *
 * @param shape outermost dimension first, as everywhere but in the file
 * @param begin first byte, from the beginning of the file
 * @param bytes length
 */
record GgufTensor(String name, GgufTensorType type, List<Long> shape, long begin, long bytes) {
  GgufTensor {
    shape = List.copyOf(shape);
  }

  /** Bytes that it takes in memory, in a format that holds it exactly. */
  long bytesInMemory() {
    long blocks = bytes / type.bytes();
    return Math.ceilDiv(
        Math.multiplyExact(blocks, (long) type.elements() * type.bitsInMemory()), 8);
  }

  /** Bytes of a row, which is what the innermost dimension holds. */
  long rowBytes() {
    return shape.getLast() / type.elements() * type.bytes();
  }
}
