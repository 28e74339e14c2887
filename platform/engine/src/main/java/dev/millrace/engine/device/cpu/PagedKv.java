package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.KvLayout;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The KV cache in F32: for each layer and block {@code [blockSize][kvHeads][keyDim]} keys, then
 * {@code [blockSize][kvHeads][valueDim]} values. Memory comes in slabs of blocks, each when one of
 * its blocks is first written, so that an idle server is small. Engine thread, but for reads.
 */
final class PagedKv implements AutoCloseable {
  private static final int SLAB_BLOCKS = 64;

  private final Arena arena = Arena.ofShared();
  private final KvLayout layout;
  private final KvLayer[] layers;
  private final long[] layerStart;
  private final long blockFloats;
  private final @Nullable MemorySegment[] slabs;

  PagedKv(ModelSpec spec, KvLayout layout) {
    this.layout = layout;
    this.layers = spec.layers().toArray(KvLayer[]::new);
    this.layerStart = new long[layers.length];
    long floats = 0;
    for (int i = 0; i < layers.length; i++) {
      layerStart[i] = floats;
      floats += (long) layout.blockSize() * floatsPerToken(layers[i]);
    }
    this.blockFloats = floats;
    this.slabs = new MemorySegment[Math.ceilDiv(layout.blocks(), SLAB_BLOCKS)];
  }

  static long bytesPerBlock(ModelSpec spec, int blockSize) {
    long floats = spec.layers().stream().mapToLong(PagedKv::floatsPerToken).sum();
    return Float.BYTES * floats * blockSize;
  }

  int blockSize() {
    return layout.blockSize();
  }

  /** The slab a block lies in; allocated if it is new. */
  MemorySegment slab(int block) {
    int index = block / SLAB_BLOCKS;
    var slab = slabs[index];
    if (slab == null) {
      int blocks = Math.min(SLAB_BLOCKS, layout.blocks() - index * SLAB_BLOCKS);
      slab = allocate(blocks * blockFloats);
      slabs[index] = slab;
    }
    return slab;
  }

  /** Copies all layers of a block over another block. */
  void copy(int source, int target) {
    long bytes = Float.BYTES * blockFloats;
    long from = source % SLAB_BLOCKS * bytes;
    long to = target % SLAB_BLOCKS * bytes;
    MemorySegment.copy(slab(source), from, slab(target), to, bytes);
  }

  private MemorySegment allocate(long floats) {
    try {
      return arena.allocate(JAVA_FLOAT, floats);
    } catch (OutOfMemoryError e) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "no memory for " + Float.BYTES * floats + " more bytes of KV cache; lower its size",
          e);
    }
  }

  /** Index in the slab of a token's first key. */
  long key(int layer, int block, int slot) {
    var shape = layers[layer];
    return start(layer, block) + (long) slot * shape.kvHeads() * shape.keyDim();
  }

  /** Index in the slab of a token's first value. */
  long value(int layer, int block, int slot) {
    var shape = layers[layer];
    long keys = (long) layout.blockSize() * shape.kvHeads() * shape.keyDim();
    return start(layer, block) + keys + (long) slot * shape.kvHeads() * shape.valueDim();
  }

  private long start(int layer, int block) {
    return block % SLAB_BLOCKS * blockFloats + layerStart[layer];
  }

  private static long floatsPerToken(KvLayer layer) {
    return (long) layer.kvHeads() * (layer.keyDim() + layer.valueDim());
  }

  @Override
  public void close() {
    arena.close();
  }
}
