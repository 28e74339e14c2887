package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.memory.FreshPages;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The KV cache: for each layer and block {@code [kvHeads][blockSize][keyDim]} keys, then {@code
 * [kvHeads][blockSize][valueDim]} values, as heads are read one by one. Memory comes in slabs of
 * blocks, each when one of its blocks is first written, so that an idle server is small. Engine
 * thread, but for reads.
 */
final class PagedKv implements AutoCloseable {
  static final int SLAB_BLOCKS = 64;

  private static final int CACHE_LINE = 64;

  private final Arena arena = Arena.ofShared();

  /** In large pages: a layer's keys lie far apart, each block's with those of all its layers. */
  private final FreshPages pages = new FreshPages(arena);

  private final KvLayout layout;
  private final KvLayer[] layers;
  private final long[] layerStart;
  private final long blockBytes;
  private final KvDtype dtype;
  private final @Nullable MemorySegment[] slabs;

  /** Address of each slab; 0 while it has no memory. */
  private final MemorySegment slabAddresses;

  PagedKv(ModelSpec spec, KvLayout layout) {
    this.layout = layout;
    this.layers = spec.layers().toArray(KvLayer[]::new);
    this.layerStart = new long[layers.length];
    this.dtype = layout.dtype();
    long bytes = 0;
    for (int i = 0; i < layers.length; i++) {
      layerStart[i] = bytes;
      bytes += layout.blockSize() * tokenBytes(layers[i], dtype);
    }
    this.blockBytes = bytes;
    this.slabs = new MemorySegment[Math.ceilDiv(layout.blocks(), SLAB_BLOCKS)];
    this.slabAddresses = arena.allocate(JAVA_LONG, slabs.length);
  }

  static long bytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype) {
    return spec.layers().stream().mapToLong(layer -> tokenBytes(layer, dtype)).sum() * blockSize;
  }

  int blockSize() {
    return layout.blockSize();
  }

  KvDtype dtype() {
    return dtype;
  }

  long blockBytes() {
    return blockBytes;
  }

  /** Bytes from the start of a block to a layer's keys. */
  long layerBytes(int layer) {
    return layerStart[layer];
  }

  MemorySegment slabAddresses() {
    return slabAddresses;
  }

  /** Sees to it that a block has memory. */
  void ensure(int block) {
    var _ = slab(block);
  }

  private MemorySegment slab(int block) {
    int index = block / SLAB_BLOCKS;
    var slab = slabs[index];
    if (slab == null) {
      int blocks = Math.min(SLAB_BLOCKS, layout.blocks() - index * SLAB_BLOCKS);
      slab = allocate(blockBytes * blocks);
      slabs[index] = slab;
      slabAddresses.setAtIndex(JAVA_LONG, index, slab.address());
    }
    return slab;
  }

  /** Copies all layers of a block over another block. */
  void copy(int source, int target) {
    long from = source % SLAB_BLOCKS * blockBytes;
    long to = target % SLAB_BLOCKS * blockBytes;
    MemorySegment.copy(slab(source), from, slab(target), to, blockBytes);
  }

  private MemorySegment allocate(long bytes) {
    try {
      return pages.allocate(bytes, CACHE_LINE);
    } catch (OutOfMemoryError e) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "no memory for " + bytes + " more bytes of KV cache; lower its size",
          e);
    }
  }

  /** Memory that a block lies in. */
  MemorySegment memory(int block) {
    return slab(block);
  }

  /**
   * Byte in {@link #memory} of a head of a token's keys; those of the block's next token lie behind
   * it.
   */
  long keyBytes(int layer, int block, int slot, int head) {
    return start(layer, block) + place(slot, head) * keyHeadBytes(layer);
  }

  /** As {@link #keyBytes}, of its values. */
  long valueBytes(int layer, int block, int slot, int head) {
    return start(layer, block)
        + place(0, layers[layer].kvHeads()) * keyHeadBytes(layer)
        + place(slot, head) * valueHeadBytes(layer);
  }

  /** Bytes of a token's keys in one head of a layer. */
  long keyHeadBytes(int layer) {
    return dtype.headBytes(layers[layer].keyDim());
  }

  /** Bytes of a token's values in one head of a layer. */
  long valueHeadBytes(int layer) {
    return dtype.headBytes(layers[layer].valueDim());
  }

  private long place(int slot, int head) {
    return Math.multiplyFull(head, layout.blockSize()) + slot;
  }

  void readKey(int layer, int block, int slot, int head, float[] out) {
    dtype.decode(slab(block), keyBytes(layer, block, slot, head), out, layers[layer].keyDim());
  }

  void writeKey(int layer, int block, int slot, int head, float[] in) {
    dtype.encode(in, layers[layer].keyDim(), slab(block), keyBytes(layer, block, slot, head));
  }

  void readValue(int layer, int block, int slot, int head, float[] out) {
    dtype.decode(slab(block), valueBytes(layer, block, slot, head), out, layers[layer].valueDim());
  }

  void writeValue(int layer, int block, int slot, int head, float[] in) {
    dtype.encode(in, layers[layer].valueDim(), slab(block), valueBytes(layer, block, slot, head));
  }

  private long start(int layer, int block) {
    return block % SLAB_BLOCKS * blockBytes + layerStart[layer];
  }

  private static long tokenBytes(KvLayer layer, KvDtype dtype) {
    return layer.kvHeads() * (dtype.headBytes(layer.keyDim()) + dtype.headBytes(layer.valueDim()));
  }

  @Override
  public void close() {
    arena.close();
  }
}
