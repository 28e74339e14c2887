package dev.millrace.engine.device;

import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.List;
import java.util.Optional;

/** Where models run. Opened once by the host; used by the loading thread. */
public interface Device extends AutoCloseable {
  /** Name and kernels for logs, e.g. {@code cpu (reference)}. */
  String name();

  /**
   * Whether the logits of a row are the same bits whatever else is in the batch and however its
   * prompt was cut into steps.
   */
  boolean batchInvariant();

  /**
   * Takes a matrix over as it is loaded, and gives it as this device keeps it: in an order of its
   * own where the memory may be written to. The one that was given is not read any more.
   */
  default QuantizedMatrix arranged(QuantizedMatrix matrix) {
    return matrix;
  }

  /** How it can store keys and values, what suits it best first. */
  List<KvDtype> kvDtypes();

  /** How it stores those of a model where no type is asked for. */
  default KvDtype kvDtype(Model model, ModelSpec spec) {
    return kvDtypes().getFirst();
  }

  /** Its own memory as it is now; empty where it computes in the machine's. */
  default Optional<DeviceMemory> memory() {
    return Optional.empty();
  }

  /**
   * Bytes of the device's own memory that a model takes besides its KV cache.
   *
   * @param dtype of keys and values
   * @param rows of its largest step
   */
  default long modelBytes(Model model, ModelSpec spec, KvDtype dtype, int rows) {
    return 0;
  }

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
