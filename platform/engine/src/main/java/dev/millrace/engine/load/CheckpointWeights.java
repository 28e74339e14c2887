package dev.millrace.engine.load;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model's weights, read from a checkpoint through quantization plugins and handed to a device.
 * One rank: every {@link Split} gives the whole matrix. Used by the loading thread only.
 */
public final class CheckpointWeights implements Weights {
  /** Tables that old checkpoints carry though every reader computes them. */
  private static final List<String> COMPUTED =
      List.of("rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached");

  private final String prefix;
  private final TensorReader reader;
  private final WeightTarget target;
  private final Map<String, Embedding> embeddings;

  /**
   * The weights of a checkpoint.
   *
   * @param plugins in order of preference: the first that accepts a matrix reads it
   * @param dtype the type to keep unquantized weights in
   */
  public CheckpointWeights(
      WeightSource source, List<QuantizationPlugin> plugins, DtypeChoice dtype) {
    this(source, plugins, dtype, new WeightHandles(UnaryOperator.identity()));
  }

  /** The weights of a checkpoint, read as was chosen. */
  CheckpointWeights(
      WeightSource source, QuantizerChoice choice, DtypeChoice dtype, WeightTarget target) {
    this(new TensorReader(source, choice.readers(), dtype, choice.config()), target);
  }

  CheckpointWeights(
      WeightSource source,
      List<QuantizationPlugin> plugins,
      DtypeChoice dtype,
      WeightTarget target) {
    this(new TensorReader(source, plugins, dtype, source.quantization()), target);
  }

  private CheckpointWeights(TensorReader reader, WeightTarget target) {
    this("", reader, target, new HashMap<>());
  }

  private CheckpointWeights(
      String prefix, TensorReader reader, WeightTarget target, Map<String, Embedding> embeddings) {
    this.prefix = prefix;
    this.reader = reader;
    this.target = target;
    this.embeddings = embeddings;
  }

  @Override
  public Linear linear(String name, int out, int in, Split split) {
    String full = prefix + name;
    Embedding tied = embeddings.get(full);
    if (tied != null) {
      return checked(full, tied, out, in);
    }
    QuantizedMatrix matrix = reader.matrix(full, out, in);
    return target.linear(full, List.of(matrix), bias(List.of(new Part(name, out))));
  }

  @Override
  public Linear merged(List<Part> parts, int in, Split split) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("no parts to merge below " + prefix);
    }
    List<QuantizedMatrix> matrices = new ArrayList<>(parts.size());
    for (Part part : parts) {
      matrices.add(reader.matrix(prefix + part.name(), part.out(), in));
    }
    String names = parts.stream().map(Part::name).collect(Collectors.joining("+"));
    return target.linear(prefix + names, List.copyOf(matrices), bias(parts));
  }

  /** The parts' biases, zero for a part that has none; null if none has. */
  private float @Nullable [] bias(List<Part> parts) {
    if (parts.stream().noneMatch(part -> has(part.name() + ".bias"))) {
      return null;
    }
    float[] bias = new float[parts.stream().mapToInt(Part::out).reduce(0, Math::addExact)];
    int at = 0;
    for (Part part : parts) {
      if (has(part.name() + ".bias")) {
        float[] values = reader.vector(prefix + part.name() + ".bias", part.out());
        System.arraycopy(values, 0, bias, at, part.out());
      }
      at += part.out();
    }
    return bias;
  }

  @Override
  public Embedding embedding(String name, int vocabulary, int width) {
    String full = prefix + name;
    Embedding known = embeddings.get(full);
    if (known != null) {
      return checked(full, known, vocabulary, width);
    }
    Embedding table = target.embedding(full, reader.matrix(full, vocabulary, width));
    embeddings.put(full, table);
    return table;
  }

  private static Embedding checked(String name, Embedding table, int rows, int cols) {
    if (table.vocabulary() != rows || table.width() != cols) {
      throw new InferenceException(
          ErrorCode.BAD_SHAPE,
          "%s is [%d, %d], the model wants [%d, %d]"
              .formatted(name, table.vocabulary(), table.width(), rows, cols));
    }
    return table;
  }

  @Override
  public Experts experts(int count, List<Part> parts, int in) {
    if (parts.size() < 2) {
      throw new IllegalArgumentException("experts need a gate, an up and a down below " + prefix);
    }
    List<Part> first = parts.subList(0, parts.size() - 1);
    int inner = first.stream().mapToInt(Part::out).reduce(0, Math::addExact) / 2;
    boolean stacked = parts.stream().anyMatch(part -> has(part.name()));
    List<List<QuantizedMatrix>> gateUp = new ArrayList<>(count);
    List<QuantizedMatrix> down = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      List<QuantizedMatrix> ofExpert = new ArrayList<>(first.size());
      for (Part part : first) {
        ofExpert.add(expert(part, i, count, in, stacked));
      }
      gateUp.add(List.copyOf(ofExpert));
      down.add(expert(parts.getLast(), i, count, inner, stacked));
    }
    return target.experts(prefix + "*", gateUp, down);
  }

  private QuantizedMatrix expert(Part part, int expert, int count, int in, boolean stacked) {
    String module = prefix + expert + "." + part.name();
    return stacked
        ? reader.slice(prefix + part.name(), expert, count, module, part.out(), in)
        : reader.matrix(module, part.out(), in);
  }

  @Override
  public Tensor vector(String name, int length) {
    return target.vector(prefix + name, reader.vector(prefix + name, length));
  }

  @Override
  public boolean has(String name) {
    return reader.has(prefix + name);
  }

  @Override
  public CheckpointWeights at(String prefix) {
    return new CheckpointWeights(this.prefix + prefix + ".", reader, target, embeddings);
  }

  /** The formats that the matrices read so far are kept in, and how many bytes. */
  public List<WeightFormat> formats() {
    return reader.formats();
  }

  /** Whether this plugin has given a matrix so far. */
  boolean readBy(QuantizationPlugin plugin) {
    return reader.readBy(plugin);
  }

  /**
   * The tensors of the checkpoint, of any prefix, that nobody has read yet, in order; tables that
   * are always computed, such as {@code rotary_emb.inv_freq}, are left out.
   */
  public Set<String> unused() {
    Set<String> unused = new TreeSet<>(reader.names());
    unused.removeAll(reader.read());
    unused.removeIf(name -> COMPUTED.stream().anyMatch(name::endsWith));
    return unused;
  }
}
