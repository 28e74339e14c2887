package dev.millrace.cuda;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceMemory;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import java.util.List;
import java.util.Optional;

/**
 * An NVIDIA GPU. Where keys, values and weights are no finer than BF16, activations are BF16 and
 * tensor cores compute; otherwise activations are F32, and weights are decoded in registers to
 * exactly what they stand for.
 */
final class CudaDevice implements Device {
  private static final int MOST_PICKS = 1024;

  private final Gpu gpu;
  private final KernelModules kernels;
  private final CudaSettings settings;

  /** Owns card and kernels. */
  CudaDevice(Gpu gpu, KernelModules kernels, CudaSettings settings) {
    this.gpu = gpu;
    this.kernels = kernels;
    this.settings = settings;
  }

  @Override
  public String name() {
    return "cuda (%s, driver for CUDA %s)".formatted(gpu.name(), DriverLibrary.name(gpu.driver()));
  }

  @Override
  public boolean batchInvariant() {
    return settings.batchInvariant();
  }

  @Override
  public Optional<DeviceMemory> memory() {
    return Optional.of(gpu.memory(settings.memoryUtilization()));
  }

  @Override
  public long modelBytes(Model model, ModelSpec spec, KvDtype dtype, int rows) {
    return ModelPrograms.of(model, spec, dtype).bytes(rows, Math.min(rows, picksPerChunk(spec)));
  }

  @Override
  public List<KvDtype> kvDtypes() {
    return List.of(KvDtype.BFLOAT16, KvDtype.FLOAT16, KvDtype.FP8_E4M3, KvDtype.FLOAT32);
  }

  @Override
  public long kvBytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype) {
    return KvCache.bytesPerBlock(spec, blockSize, dtype);
  }

  @Override
  public DeviceModel load(Model model, ModelSpec spec, KvLayout kv) {
    var programs = ModelPrograms.of(model, spec, kv.dtype());
    return new CudaModel(gpu, kernels, programs, spec, kv, settings, picksPerChunk(spec));
  }

  private int picksPerChunk(ModelSpec spec) {
    return Math.clamp(settings.logitsBytes() / Float.BYTES / spec.vocabulary(), 1, MOST_PICKS);
  }

  @Override
  public void close() {
    gpu.enter();
    kernels.close();
    gpu.close();
  }
}
