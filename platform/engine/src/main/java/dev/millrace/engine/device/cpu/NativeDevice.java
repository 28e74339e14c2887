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
 * The CPU with native kernels: F32 activations, weights decoded in registers to exactly what they
 * stand for. An output's bits follow from its own inputs, never from the batch, the chunking or the
 * number of threads.
 */
public final class NativeDevice implements Device {
  private final InstructionSet set;
  private final NativeFunctions functions;
  private final Workers workers;

  /**
   * Starts the worker threads.
   *
   * @param set one of {@link NativeLibrary#sets()}
   * @param threads at least 1, the engine thread included
   */
  public NativeDevice(InstructionSet set, int threads) {
    this.set = set;
    this.functions = new NativeFunctions(NativeLibrary.get(), set);
    this.workers = new Workers(threads);
  }

  @Override
  public String name() {
    return "cpu (" + set.label() + " kernels, " + workers.count() + " threads)";
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
    var kernels = new NativeKernels(functions, cache, workers);
    return new CpuModel(hidden, head, spec.vocabulary(), cache, kernels);
  }

  @Override
  public void close() {
    workers.close();
  }
}
