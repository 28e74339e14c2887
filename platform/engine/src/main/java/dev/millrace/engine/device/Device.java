package dev.millrace.engine.device;

import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import java.util.List;

/** Where models run. Opened once by the host; used by the loading thread. */
public interface Device extends AutoCloseable {
  /** Name and kernels for logs, e.g. {@code cpu (reference)}. */
  String name();

  /**
   * Whether the logits of a row are the same bits whatever else is in the batch and however its
   * prompt was cut into steps.
   */
  boolean batchInvariant();

  /** How it can store keys and values; the first is its choice where none is asked for. */
  List<KvDtype> kvDtypes();

  /** Bytes of KV cache that one block takes. */
  long kvBytesPerBlock(ModelSpec spec, int blockSize, KvDtype dtype);

  /**
   * Records a model and gets its memory ready.
   *
   * @throws dev.millrace.spi.InferenceException {@code OUT_OF_MEMORY} if the cache does not fit
   */
  DeviceModel load(Model model, ModelSpec spec, KvLayout kv);

  @Override
  void close();
}
