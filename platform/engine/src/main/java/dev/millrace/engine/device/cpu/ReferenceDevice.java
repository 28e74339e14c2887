package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import java.util.List;

/**
 * The CPU in plain Java: F32 values, F64 sums, one number at a time. Slow, and the truth that every
 * kernel is checked against. An output's bits follow from its own inputs, never from the batch, the
 * chunking or the number of threads.
 */
public final class ReferenceDevice implements Device {
  private final Workers workers;

  /**
   * Starts the worker threads.
   *
   * @param threads at least 1, the engine thread included
   */
  public ReferenceDevice(int threads) {
    this.workers = new Workers(threads);
  }

  @Override
  public String name() {
    return "cpu (reference kernels, " + workers.count() + " threads)";
  }

  @Override
  public boolean batchInvariant() {
    return true;
  }

  @Override
  public List<KvDtype> kvDtypes() {
    return List.of(KvDtype.values());
  }

  @Override
  public long kvBytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype) {
    return PagedKv.bytesPerBlock(spec, blockSize, dtype);
  }

  @Override
  public DeviceModel load(Model model, ModelSpec spec, KvLayout kv) {
    var hidden = Program.hidden(model, spec);
    var head = Program.head(model, spec);
    var cache = new PagedKv(spec, kv);
    var kernels = new ReferenceKernels(cache, workers);
    return new CpuModel(hidden, head, spec.vocabulary(), cache, kernels);
  }

  @Override
  public void close() {
    workers.close();
  }
}
