package dev.millrace.engine.load;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads matrices and vectors by full name, checks their shapes, and remembers what was read. */
final class TensorReader {
  private static final Logger LOG = LoggerFactory.getLogger(TensorReader.class);

  private final WeightSource source;
  private final List<QuantizationPlugin> plugins;
  private final DtypeChoice dtype;
  private final ModelConfig quantization;
  private final Set<String> read = new HashSet<>();
  private final Set<QuantizationPlugin> readers = new HashSet<>();
  private final KeptWeights kept = new KeptWeights();
  private final LoadProgress progress = new LoadProgress(System::nanoTime, LOG::info);

  /** A reader that shows plugins {@code quantization} as the checkpoint's. */
  TensorReader(
      WeightSource source,
      List<QuantizationPlugin> plugins,
      DtypeChoice dtype,
      ModelConfig quantization) {
    this.source = source;
    this.plugins = List.copyOf(plugins);
    this.dtype = dtype;
    this.quantization = quantization;
  }

  boolean has(String tensor) {
    return source.has(tensor);
  }

  /** The full names of the tensors read so far. */
  Set<String> read() {
    return read;
  }

  /** Whether this plugin has given a matrix so far. */
  boolean readBy(QuantizationPlugin plugin) {
    return readers.contains(plugin);
  }

  /** The formats that the matrices read so far are kept in. */
  List<WeightFormat> formats() {
    return kept.formats();
  }

  /** The names of all tensors there are. */
  Set<String> names() {
    return source.names();
  }

  /** The matrix of a module, from the first plugin that accepts it. */
  QuantizedMatrix matrix(String name, int rows, int cols) {
    source.expect(name + ".weight", rows, cols);
    return matrix(name, source, rows, cols);
  }

  /** The matrix of one expert of a tensor [count, rows, cols], as if it were {@code module}'s. */
  QuantizedMatrix slice(String stacked, int expert, int count, String module, int rows, int cols) {
    CheckpointTensor whole = source.tensor(stacked);
    checkShape(stacked, whole.shape(), List.of((long) count, (long) rows, (long) cols));
    read.add(stacked);
    var slice = ExpertSlice.of(whole, expert, module, source);
    return matrix(module, slice, rows, cols);
  }

  private QuantizedMatrix matrix(String name, Checkpoint from, int rows, int cols) {
    for (QuantizationPlugin plugin : plugins) {
      if (guarded(plugin, name, () -> plugin.accepts(name, seen(from)))) {
        var seen = seen(from);
        QuantizedMatrix matrix = guarded(plugin, name, () -> plugin.read(name, seen));
        checkShape(name, List.of(matrix.rows(), matrix.cols()), List.of(rows, cols));
        checkPacked(plugin, name, matrix);
        QuantizedMatrix ready = dtype.convert(name, matrix, source);
        seen.spent(ready).forEach(source::release);
        read.addAll(seen.taken());
        readers.add(plugin);
        kept.add(ready);
        progress.at(read.size(), source.names().size());
        return ready;
      }
    }
    throw notAccepted(name, from, List.of((long) rows, (long) cols));
  }

  private ReadCheckpoint seen(Checkpoint from) {
    return new ReadCheckpoint(from, quantization);
  }

  /** The numbers of a vector. */
  float[] vector(String name, int length) {
    source.expect(name, length);
    CheckpointTensor tensor = source.tensor(name);
    FloatCodec codec = FloatCodec.of(tensor.dtype());
    if (codec == null) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          name + " is stored as " + tensor.dtype() + "; vectors are read from F32, BF16 and F16");
    }
    checkShape(name, tensor.shape(), List.of((long) length));
    float[] values = new float[length];
    codec.decode(tensor.bytes(), 0, values, length);
    dtype.round(name, values);
    read.add(name);
    return values;
  }

  private static void checkShape(String name, List<?> found, List<?> wanted) {
    if (!found.equals(wanted)) {
      throw new InferenceException(
          ErrorCode.BAD_SHAPE, name + " is " + found + ", the model wants " + wanted);
    }
  }

  private static <T> T guarded(QuantizationPlugin plugin, String name, Supplier<T> call) {
    try {
      return call.get();
    } catch (InferenceException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new InferenceException(
          ErrorCode.INTERNAL,
          "quantization plugin " + plugin.name() + " failed on " + name + ": " + e,
          e);
    }
  }

  /** Kernels trust length and order, so they are checked once, here. */
  private static void checkPacked(QuantizationPlugin plugin, String name, QuantizedMatrix matrix) {
    long needed = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols()).length();
    if (matrix.packed().byteSize() < needed) {
      throw new InferenceException(
          ErrorCode.INTERNAL,
          "quantization plugin %s gives %d bytes for %s, %s of [%d, %d] has %d"
              .formatted(
                  plugin.name(),
                  matrix.packed().byteSize(),
                  name,
                  matrix.format(),
                  matrix.rows(),
                  matrix.cols(),
                  needed));
    }
    int[] order = matrix.inputOrder();
    if (order.length > 0 && !isPermutation(order, matrix.cols())) {
      throw new InferenceException(
          ErrorCode.INTERNAL,
          "quantization plugin %s gives an input order of %d for %s that is none of %d columns"
              .formatted(plugin.name(), order.length, name, matrix.cols()));
    }
  }

  private static boolean isPermutation(int[] order, int length) {
    var seen = new BitSet(length);
    for (int column : order) {
      if (column < 0 || column >= length || seen.get(column)) {
        return false;
      }
      seen.set(column);
    }
    return order.length == length;
  }

  private InferenceException notAccepted(String name, Checkpoint from, List<Long> shape) {
    String weight = name + ".weight";
    if (from.has(weight) && FloatCodec.of(from.tensor(weight).dtype()) != null) {
      checkShape(weight, from.tensor(weight).shape(), shape);
    }
    List<String> stored =
        from.names().stream()
            .filter(tensor -> tensor.startsWith(name + ".") && !tensor.equals(name + ".bias"))
            .sorted()
            .map(from::tensor)
            .map(tensor -> tensor.name() + " " + tensor.dtype() + " " + tensor.shape())
            .toList();
    if (stored.isEmpty()) {
      from.tensor(weight); // says what is missing, and where
    }
    return new InferenceException(
        ErrorCode.UNSUPPORTED_QUANTIZATION,
        "no quantization plugin accepts %s; stored: %s; loaded: %s"
            .formatted(name, stored, plugins.stream().map(QuantizationPlugin::name).toList()));
  }
}
