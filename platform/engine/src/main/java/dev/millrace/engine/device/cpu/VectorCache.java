package dev.millrace.engine.device.cpu;

import java.lang.foreign.MemorySegment;

/** Reads runs of cached keys or values of one head as F32. One thread's. */
final class VectorCache {
  private final PagedKv kv;
  private float[] numbers = new float[0];

  VectorCache(PagedKv kv) {
    this.kv = kv;
  }

  /**
   * Decodes a head of {@code count} tokens.
   *
   * @param blocks of the sequence
   * @param first position of the first token
   * @param head among those of a token's keys
   * @param out {@code [count][stride]}, filled up with zeros
   */
  void keys(
      int layer, int[] blocks, int first, int count, int head, int width, float[] out, int stride) {
    long headBytes = kv.keyHeadBytes(layer);
    read(kv::keyBytes, headBytes, layer, blocks, first, count, head, width, out, stride);
  }

  /** As {@link #keys}. */
  void values(
      int layer, int[] blocks, int first, int count, int head, int width, float[] out, int stride) {
    long headBytes = kv.valueHeadBytes(layer);
    read(kv::valueBytes, headBytes, layer, blocks, first, count, head, width, out, stride);
  }

  /** Where a head of a token's keys, or of its values, begins. */
  private interface Place {
    long of(int layer, int block, int slot, int head);
  }

  private void read(
      Place place,
      long headBytes,
      int layer,
      int[] blocks,
      int first,
      int count,
      int head,
      int width,
      float[] out,
      int stride) {
    for (int done = 0; done < count; ) {
      int position = first + done;
      int block = blocks[position / kv.blockSize()];
      int slot = position % kv.blockSize();
      int run = Math.min(count - done, kv.blockSize() - slot);
      long at = place.of(layer, block, slot, head);
      decode(kv.memory(block), at, headBytes, run, width, out, done * stride, stride);
      done += run;
    }
  }

  private void decode(
      MemorySegment memory,
      long at,
      long headBytes,
      int rows,
      int width,
      float[] out,
      int to,
      int stride) {
    for (int row = 0; row < rows; row++) {
      long from = at + row * headBytes;
      int start = to + row * stride;
      switch (kv.dtype()) {
        case FLOAT32 -> VectorDecoder.f32(memory, from, out, start, width);
        case BFLOAT16 -> VectorDecoder.bf16(memory, from, out, start, width);
        case FLOAT16 -> VectorDecoder.f16(memory, from, out, start, width);
        case FP8_E4M3, INT8 -> {
          numbers = Lanes.room(numbers, width);
          kv.dtype().decode(memory, from, numbers, width);
          System.arraycopy(numbers, 0, out, start, width);
        }
      }
      Lanes.pad(out, start, width, stride);
    }
  }
}
