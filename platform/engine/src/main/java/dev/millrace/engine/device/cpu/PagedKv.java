package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The KV cache: for each layer and block {@code [blockSize][kvHeads][keyDim]} keys, then {@code
 * [blockSize][kvHeads][valueDim]} values. Memory comes in slabs of blocks, each when one of its
 * blocks is first written, so that an idle server is small. Engine thread, but for reads.
 */
final class PagedKv implements AutoCloseable {
  static final int SLAB_BLOCKS = 64;

  private final Arena arena = Arena.ofShared();
  private final KvLayout layout;
  private final KvLayer[] layers;
  private final long[] layerStart;
  private final long blockNumbers;
  private final KvDtype dtype;
  private final @Nullable MemorySegment[] slabs;

  /** Address of each slab; 0 while it has no memory. */
  private final MemorySegment slabAddresses;

  PagedKv(ModelSpec spec, KvLayout layout) {
    this.layout = layout;
    this.layers = spec.layers().toArray(KvLayer[]::new);
    this.layerStart = new long[layers.length];
    long numbers = 0;
    for (int i = 0; i < layers.length; i++) {
      layerStart[i] = numbers;
      numbers += (long) layout.blockSize() * numbersPerToken(layers[i]);
    }
    this.blockNumbers = numbers;
    this.dtype = layout.dtype();
    this.slabs = new MemorySegment[Math.ceilDiv(layout.blocks(), SLAB_BLOCKS)];
    this.slabAddresses = arena.allocate(JAVA_LONG, slabs.length);
  }

  static long bytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype) {
    long numbers = spec.layers().stream().mapToLong(PagedKv::numbersPerToken).sum();
    return dtype.bytes() * numbers * blockSize;
  }

  int blockSize() {
    return layout.blockSize();
  }

  KvDtype dtype() {
    return dtype;
  }

  long blockBytes() {
    return blockNumbers * dtype.bytes();
  }

  /** Bytes from the start of a block to a layer's keys. */
  long layerBytes(int layer) {
    return layerStart[layer] * dtype.bytes();
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
      slab = allocate(blockNumbers * dtype.bytes() * blocks);
      slabs[index] = slab;
      slabAddresses.setAtIndex(JAVA_LONG, index, slab.address());
    }
    return slab;
  }

  /** Copies all layers of a block over another block. */
  void copy(int source, int target) {
    long bytes = dtype.bytes() * blockNumbers;
    long from = source % SLAB_BLOCKS * bytes;
    long to = target % SLAB_BLOCKS * bytes;
    MemorySegment.copy(slab(source), from, slab(target), to, bytes);
  }

  private MemorySegment allocate(long bytes) {
    try {
      return arena.allocate(bytes, Long.BYTES);
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

  /** Byte in {@link #memory} of a token's keys; those of the next token lie a row further. */
  long keyBytes(int layer, int block, int slot) {
    return dtype.bytes() * key(layer, block, slot);
  }

  /** Byte in {@link #memory} of a token's values; those of the next token lie a row further. */
  long valueBytes(int layer, int block, int slot) {
    return dtype.bytes() * value(layer, block, slot);
  }

  /** Bytes of a token's keys in all heads of a layer. */
  long keyRowBytes(int layer) {
    return (long) dtype.bytes() * layers[layer].kvHeads() * layers[layer].keyDim();
  }

  /** Bytes of a token's values in all heads of a layer. */
  long valueRowBytes(int layer) {
    return (long) dtype.bytes() * layers[layer].kvHeads() * layers[layer].valueDim();
  }

  /** Reads numbers of a token's keys, from number {@code column} on. */
  void readKey(int layer, int block, int slot, int column, float[] out, int count) {
    dtype.decode(slab(block), dtype.bytes() * (key(layer, block, slot) + column), out, count);
  }

  void writeKey(int layer, int block, int slot, int column, float[] in, int count) {
    dtype.encode(in, count, slab(block), dtype.bytes() * (key(layer, block, slot) + column));
  }

  /** Reads numbers of a token's values, from number {@code column} on. */
  void readValue(int layer, int block, int slot, int column, float[] out, int count) {
    dtype.decode(slab(block), dtype.bytes() * (value(layer, block, slot) + column), out, count);
  }

  void writeValue(int layer, int block, int slot, int column, float[] in, int count) {
    dtype.encode(in, count, slab(block), dtype.bytes() * (value(layer, block, slot) + column));
  }

  /** Number in the slab of a token's first key. */
  private long key(int layer, int block, int slot) {
    var shape = layers[layer];
    return start(layer, block) + (long) slot * shape.kvHeads() * shape.keyDim();
  }

  /** Number in the slab of a token's first value. */
  private long value(int layer, int block, int slot) {
    var shape = layers[layer];
    long keys = (long) layout.blockSize() * shape.kvHeads() * shape.keyDim();
    return start(layer, block) + keys + (long) slot * shape.kvHeads() * shape.valueDim();
  }

  private long start(int layer, int block) {
    return block % SLAB_BLOCKS * blockNumbers + layerStart[layer];
  }

  private static long numbersPerToken(KvLayer layer) {
    return (long) layer.kvHeads() * (layer.keyDim() + layer.valueDim());
  }

  @Override
  public void close() {
    arena.close();
  }
}
