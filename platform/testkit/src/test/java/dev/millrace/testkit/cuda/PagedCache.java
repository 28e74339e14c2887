package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Random;

/**
 * The paged cache of one layer among others, whose numbers are NaN, with the blocks of some
 * sequences all over it.
 */
final class PagedCache {
  /** Numbers of a block that belong to other layers. */
  private static final int OTHERS = 16;

  final KvDtype type;
  final int kvHeads;
  final int headDim;
  final int blockSize;
  final int tableStride;
  private final int[] tables;
  private final MemorySegment memory;
  private final MemorySegment tablesOnDevice;

  /** A cache with room for sequences of the given lengths. */
  PagedCache(KvDtype type, int kvHeads, int headDim, int blockSize, int... lengths) {
    this.type = type;
    this.kvHeads = kvHeads;
    this.headDim = headDim;
    this.blockSize = blockSize;
    int longest = 0;
    int count = 0;
    for (int length : lengths) {
      longest = Math.max(longest, Math.ceilDiv(length, blockSize));
      count += Math.ceilDiv(length, blockSize);
    }
    tableStride = longest + 2;
    var blocks = new ArrayList<Integer>();
    for (int i = 1; i < count + 3; i++) { // block 0 is what kernels take for places that are not
      blocks.add(i);
    }
    Collections.shuffle(blocks, new Random(9));
    tables = new int[lengths.length * tableStride];
    int next = 0;
    for (int s = 0; s < lengths.length; s++) {
      for (int i = 0; i < tableStride; i++) {
        boolean used = i < Math.ceilDiv(lengths[s], blockSize);
        // beyond its end a table holds anything
        tables[s * tableStride + i] = used ? blocks.get(next++) : 1 << 30;
      }
    }
    long bytes = (count + 3) * blockStride() * type.bytes();
    memory = Kernels.allocate(bytes).fill((byte) -1);
    tablesOnDevice = DeviceArrays.of(tables);
  }

  long blockStride() {
    return 2L * kvHeads * blockSize * headDim + OTHERS;
  }

  MemorySegment keys() {
    return memory.asSlice((long) OTHERS / 2 * type.bytes());
  }

  MemorySegment values() {
    return keys().asSlice((long) kvHeads * blockSize * headDim * type.bytes());
  }

  MemorySegment tables() {
    return tablesOnDevice;
  }

  double[] key(int sequence, int head, int position) {
    return decode(keys(), at(sequence, head, position));
  }

  double[] value(int sequence, int head, int position) {
    return decode(values(), at(sequence, head, position));
  }

  void put(int sequence, int head, int position, float[] key, float[] value) {
    long at = at(sequence, head, position) * type.bytes();
    type.encode(key, headDim, keys(), at);
    type.encode(value, headDim, values(), at);
  }

  private double[] decode(MemorySegment from, long at) {
    float[] numbers = new float[headDim];
    type.decode(from, at * type.bytes(), numbers, headDim);
    double[] out = new double[headDim];
    for (int i = 0; i < headDim; i++) {
      out[i] = numbers[i];
    }
    return out;
  }

  private long at(int sequence, int head, int position) {
    int block = tables[sequence * tableStride + position / blockSize];
    return block * blockStride() + ((long) head * blockSize + position % blockSize) * headDim;
  }
}
