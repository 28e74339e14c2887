package dev.millrace.cuda;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceMemory;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import java.util.List;
import java.util.Optional;

/**
 * An NVIDIA GPU. Activations are F32, and weights are decoded in registers to exactly what they
 * stand for; a row's arithmetic follows from the row alone.
 */
final class CudaDevice implements Device {
  private static final int MOST_PICKS = 1024;

  private final Gpu gpu;
  private final KernelModules kernels;
  private final double utilization;
  private final int logitsBytes;

  /**
   * Owns both.
   *
   * @param logitsBytes memory of the logits that are held at a time
   */
  CudaDevice(Gpu gpu, KernelModules kernels, double utilization, int logitsBytes) {
    this.gpu = gpu;
    this.kernels = kernels;
    this.utilization = utilization;
    this.logitsBytes = logitsBytes;
  }

  @Override
  public String name() {
    return "cuda (%s, driver for CUDA %s)".formatted(gpu.name(), DriverLibrary.name(gpu.driver()));
  }

  @Override
  public boolean batchInvariant() {
    return true;
  }

  @Override
  public Optional<DeviceMemory> memory() {
    return Optional.of(gpu.memory(utilization));
  }

  @Override
  public long modelBytes(Model model, ModelSpec spec, int rows) {
    var hidden = Program.hidden(model, spec);
    var head = Program.head(model, spec);
    int picks = Math.min(rows, picksPerChunk(spec));
    return Weights.bytes(List.of(hidden, head))
        + Activations.bytes(hidden, rows)
        + Activations.bytes(head, picks);
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
    return new CudaModel(
        gpu,
        kernels,
        Program.hidden(model, spec),
        Program.head(model, spec),
        spec,
        kv,
        picksPerChunk(spec));
  }

  private int picksPerChunk(ModelSpec spec) {
    return Math.clamp(logitsBytes / Float.BYTES / spec.vocabulary(), 1, MOST_PICKS);
  }

  @Override
  public void close() {
    gpu.enter();
    kernels.close();
    gpu.close();
  }
}
