package dev.millrace.engine.gguf;

import dev.millrace.spi.quant.DType;
import java.util.List;

/**
 * A tensor as Hugging Face names and shapes it, and where its bytes are. What is stored in blocks
 * is called {@code <module>.q4_k} in place of {@code <module>.weight}, and is U8 of [rows, bytes of
 * a row].
 *
 * @param stored its name in the file
 * @param file number of the part that has it
 * @param begin first byte, from the beginning of that file
 * @param bytes length
 * @param rotated heads whose rows are stored for a rope that turns neighbours; 0: none
 * @param lessOne whether 1 has to be taken from what is stored
 */
record GgufWeight(
    String name,
    String stored,
    DType dtype,
    List<Long> shape,
    int file,
    long begin,
    long bytes,
    int rotated,
    boolean lessOne) {
  GgufWeight {
    shape = List.copyOf(shape);
  }
}
