package dev.millrace.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelSpec;

/**
 * The paged KV cache in device memory. A block holds all layers: of each {@code
 * [kvHeads][blockSize][keyDim]} keys, then as many values. Blocks are a multiple of 16 bytes apart.
 */
final class KvCache implements Owned.Closing {
  private static final int ALIGNMENT = 16;

  private final ModelSpec spec;
  private final KvLayout layout;
  private final long[] layerStart;
  private final Memory memory;

  /** Takes all its memory. */
  KvCache(ModelSpec spec, KvLayout layout) {
    this.spec = spec;
    this.layout = layout;
    this.layerStart = new long[spec.layers().size()];
    long at = 0;
    for (int i = 0; i < layerStart.length; i++) {
      layerStart[i] = at;
      at += numbersPerToken(spec.layers().get(i)) * layout.blockSize() * layout.dtype().bytes();
    }
    long bytes = bytesPerBlock(spec, layout.blockSize(), layout.dtype()) * layout.blocks();
    this.memory = new Memory(bytes, "%,d blocks of KV cache".formatted(layout.blocks()));
  }

  static long bytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype) {
    long numbers = spec.layers().stream().mapToLong(KvCache::numbersPerToken).sum();
    return Math.ceilDiv(numbers * blockSize * dtype.bytes(), ALIGNMENT) * ALIGNMENT;
  }

  private static long numbersPerToken(KvLayer layer) {
    return (long) layer.kvHeads() * (layer.keyDim() + layer.valueDim());
  }

  long address() {
    return memory.address();
  }

  long blockBytes() {
    return bytesPerBlock(spec, layout.blockSize(), layout.dtype());
  }

  int blockSize() {
    return layout.blockSize();
  }

  KvDtype dtype() {
    return layout.dtype();
  }

  /** Numbers from a block to the next. */
  long blockStride() {
    return blockBytes() / layout.dtype().bytes();
  }

  /** Address of a layer's keys in block 0. */
  long keys(int layer) {
    return memory.address() + layerStart[layer];
  }

  /** Address of a layer's values in block 0. */
  long values(int layer) {
    var shape = spec.layers().get(layer);
    long keys = (long) shape.kvHeads() * shape.keyDim() * layout.blockSize();
    return keys(layer) + keys * layout.dtype().bytes();
  }

  /** The type's name in the kernels' symbols. */
  String suffix() {
    return switch (layout.dtype()) {
      case FLOAT32 -> "f32";
      case BFLOAT16 -> "bf16";
      case FLOAT16 -> "f16";
      case FP8_E4M3 -> "fp8";
    };
  }

  @Override
  public void close() {
    memory.close();
  }
}
