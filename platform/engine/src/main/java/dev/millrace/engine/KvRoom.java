package dev.millrace.engine;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceMemory;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.load.LoadedModel;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/**
 * How many KV blocks there is memory for: in the machine, or on a device with memory of its own.
 */
final class KvRoom {
  private final HostSettings settings;
  private final Device device;
  private final LoadedModel model;
  private final KvDtype dtype;
  private final long bytesPerBlock;

  KvRoom(HostSettings settings, Device device, LoadedModel model, KvDtype dtype) {
    this.settings = settings;
    this.device = device;
    this.model = model;
    this.dtype = dtype;
    this.bytesPerBlock = device.kvBytesPerBlock(model.spec(), settings.blockSize(), dtype);
  }

  /**
   * As many blocks as the limits can ever use, or as the memory holds.
   *
   * @param length longest sequence
   * @throws InferenceException {@code OUT_OF_MEMORY} with the figures if not even the model fits,
   *     or not the cache that was asked for
   */
  int blocks(int length) {
    long useful = (long) settings.maxNumSeqs() * Math.ceilDiv(length, settings.blockSize());
    var memory = device.memory();
    long affordable = (memory.isPresent() ? onDevice(memory.get()) : inMachine()) / bytesPerBlock;
    int blocks = Math.clamp(Math.min(useful, affordable), 0, Integer.MAX_VALUE);
    if (memory.isEmpty()) {
      HostMemory.require(
          "the KV cache of %,d blocks would".formatted(blocks), blocks * bytesPerBlock);
    }
    return blocks;
  }

  private long inMachine() {
    return settings.kvCacheBytes() == 0 ? HostMemory.total() / 4 : settings.kvCacheBytes();
  }

  private long onDevice(DeviceMemory memory) {
    long modelBytes =
        device.modelBytes(model.model(), model.spec(), dtype, settings.maxNumBatchedTokens());
    long left = memory.usable() - modelBytes;
    if (left < Math.max(settings.kvCacheBytes(), bytesPerBlock)) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "%s: weights and work of the model take %,d MiB, the KV cache at least %,d; of %,d MiB are %,d free and %,d allowed (gpu-memory-utilization %s)"
              .formatted(
                  device.name(),
                  mebibytes(modelBytes),
                  mebibytes(Math.max(settings.kvCacheBytes(), bytesPerBlock)),
                  mebibytes(memory.total()),
                  memory.free() >> 20,
                  memory.usable() >> 20,
                  memory.utilization()));
    }
    return settings.kvCacheBytes() == 0 ? left : settings.kvCacheBytes();
  }

  private static long mebibytes(long bytes) {
    return Math.ceilDiv(bytes, 1 << 20);
  }
}
