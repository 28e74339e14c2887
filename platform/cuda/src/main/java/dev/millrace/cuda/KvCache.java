package dev.millrace.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelSpec;

/**
 * The paged KV cache in device memory. Each layer has all its blocks together, so that a step of a
 * layer touches few of the card's memory pages; in a block, keys are {@code
 * [kvHeads][blockSize][keyDim]}, and as many values follow. Blocks are a multiple of 16 bytes
 * apart.
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
      at += blockBytes(i) * layout.blocks();
    }
    this.memory = new Memory(at, "%,d blocks of KV cache".formatted(layout.blocks()));
  }

  static long bytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype) {
    return spec.layers().stream().mapToLong(layer -> bytes(layer, blockSize, dtype)).sum();
  }

  /** Bytes of a layer's part of a block. */
  private static long bytes(KvLayer layer, int blockSize, KvDtype dtype) {
    long numbers = (long) layer.kvHeads() * (layer.keyDim() + layer.valueDim()) * blockSize;
    return Math.ceilDiv(numbers * dtype.bytes(), ALIGNMENT) * ALIGNMENT;
  }

  int layers() {
    return layerStart.length;
  }

  /** Address of a layer's part of block 0. */
  long address(int layer) {
    return memory.address() + layerStart[layer];
  }

  /** Bytes from a block of a layer to the next. */
  long blockBytes(int layer) {
    return bytes(spec.layers().get(layer), layout.blockSize(), layout.dtype());
  }

  int blockSize() {
    return layout.blockSize();
  }

  KvDtype dtype() {
    return layout.dtype();
  }

  /** Numbers from a block of a layer to the next. */
  long blockStride(int layer) {
    return blockBytes(layer) / layout.dtype().bytes();
  }

  /** Address of a layer's keys in block 0. */
  long keys(int layer) {
    return address(layer);
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
      case INT8 -> throw new AssertionError("not among the device's");
    };
  }

  @Override
  public void close() {
    memory.close();
  }
}
