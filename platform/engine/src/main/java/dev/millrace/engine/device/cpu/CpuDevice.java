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
 * The CPU, whichever kernels compute. An output's bits follow from its own inputs, never from the
 * batch, the chunking or the number of threads.
 */
abstract sealed class CpuDevice implements Device
    permits ReferenceDevice, VectorDevice, NativeDevice {
  private final String kernels;
  private final Workers workers;

  CpuDevice(String kernels, int threads) {
    this.kernels = kernels;
    this.workers = new Workers(threads);
  }

  /** Gets kernels ready for two programs. */
  abstract Kernels kernels(Program hidden, Program head, PagedKv kv, Workers shared);

  /** The threads that compute. */
  final Workers workers() {
    return workers;
  }

  @Override
  public final String name() {
    return "cpu (" + kernels + " kernels, " + workers.count() + " threads)";
  }

  @Override
  public final boolean batchInvariant() {
    return true;
  }

  @Override
  public final List<KvDtype> kvDtypes() {
    return List.of(KvDtype.values());
  }

  @Override
  public final long kvBytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype) {
    return PagedKv.bytesPerBlock(spec, blockSize, dtype);
  }

  @Override
  public final DeviceModel load(Model model, ModelSpec spec, KvLayout layout) {
    var hidden = Program.hidden(model, spec);
    var head = Program.head(model, spec);
    var kv = new PagedKv(spec, layout);
    var ready = kernels(hidden, head, kv, workers);
    return new CpuModel(hidden, head, spec.vocabulary(), kv, ready, workers);
  }

  @Override
  public final void close() {
    workers.close();
  }
}
