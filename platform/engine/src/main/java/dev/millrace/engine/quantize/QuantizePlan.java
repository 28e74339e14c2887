package dev.millrace.engine.quantize;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.load.FloatCodec;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which modules are quantized, and the tensors of the new checkpoint. Quantized is what the body of
 * a model multiplies with, but for the routers of experts; token table and head where they are
 * asked for. If they are one matrix then, each gets its own.
 *
 * @param weights of the body by matrix, in the order of the model
 * @param ends token table and head, as far as they are quantized
 * @param untied the matrix that also becomes a head of its own
 * @param kept linears that stay as they are
 * @param tensors of the new checkpoint
 * @param stored what scales are written in
 */
record QuantizePlan(
    Map<QuantizedMatrix, Weight> weights,
    List<Weight> ends,
    Optional<Weight> untied,
    List<String> kept,
    List<PlannedTensor> tensors,
    FloatCodec stored) {
  private static final String HEAD_TENSOR = ModelEnds.HEAD + ".weight";

  /**
   * Plans a checkpoint.
   *
   * @throws InferenceException {@code UNSUPPORTED_QUANTIZATION} naming a module that cannot be
   *     quantized so
   */
  static QuantizePlan of(
      QuantizeSettings settings,
      Program body,
      Program head,
      NamedMatrices named,
      Checkpoint source) {
    var routers = body.routers();
    var weights = new LinkedHashMap<QuantizedMatrix, Weight>();
    var kept = new ArrayList<String>();
    var all = ModelEnds.of(body, head, named);
    var ends = all.named(settings.include());
    if (ends.stream().noneMatch(QuantizePlan::isHead)) {
      kept.add(ModelEnds.HEAD);
    }
    if (settings.format().linearsOnly() && ends.contains(all.table())) {
      throw unsupported(
          "%s has no place for token tables such as %s; int4, int8 and fp8 have"
              .formatted(settings.format().label(), all.table().module()));
    }
    for (var linear : body.linears()) {
      for (var part : linear.parts()) {
        String module = Objects.requireNonNull(named.module(part), linear.name());
        if (routers.contains(linear)) {
          kept.add(module);
        } else {
          weights.put(part, new Weight(module, part));
        }
      }
    }
    var untied =
        all.tied() && !ends.isEmpty() ? Optional.of(all.table()) : Optional.<Weight>empty();
    var stored = stored(settings, weights.values().iterator().next(), source);
    var quantized = Stream.concat(weights.values().stream(), ends.stream()).toList();
    quantized.forEach(weight -> check(settings, weight, quantized));
    weights.values().forEach(weight -> codec(source, weight.module()));
    var tensors = tensors(settings, quantized, untied, stored, source);
    return new QuantizePlan(weights, ends, untied, kept, tensors, stored);
  }

  private static boolean isHead(Weight weight) {
    return weight.module().equals(ModelEnds.HEAD);
  }

  /** The head, where it is quantized. */
  Optional<Weight> head() {
    return ends.stream().filter(QuantizePlan::isHead).findAny();
  }

  /** Everything that is quantized. */
  List<Weight> all() {
    return Stream.concat(weights.values().stream(), ends.stream()).toList();
  }

  private static FloatCodec stored(QuantizeSettings settings, Weight any, Checkpoint source) {
    return switch (settings.format()) {
      case GPTQ, AWQ -> FloatCodec.F16;
      case INT4, INT8, FP8 -> codec(source, any.module());
    };
  }

  private static FloatCodec codec(Checkpoint source, String module) {
    String tensor = module + ".weight";
    var codec = source.has(tensor) ? FloatCodec.of(source.tensor(tensor).dtype()) : null;
    if (codec == null) {
      throw unsupported(
          tensor
              + " is not there by itself, and the model's plugin has no names for experts"
              + " apart; a checkpoint in which each has tensors of its own can be quantized");
    }
    return codec;
  }

  private static void check(QuantizeSettings settings, Weight weight, Iterable<Weight> all) {
    var format = settings.format();
    if (format.grouped() && weight.cols() % settings.group() != 0) {
      int common = 128;
      for (var each : all) {
        while (each.cols() % common != 0) {
          common /= 2;
        }
      }
      throw unsupported(
          "%s has %d input columns, which are not whole groups of %d; %s"
              .formatted(
                  weight.module(),
                  weight.cols(),
                  settings.group(),
                  common < 16
                      ? "fp8 and int8 have no groups"
                      : "groups of " + common + " fit all"));
    }
    int rows = format.linearsOnly() ? 8 : 1;
    int cols = format == QuantizedFormat.FP8 ? 1 : 32 / format.bits();
    if (weight.rows() % rows != 0 || weight.cols() % cols != 0) {
      throw unsupported(
          "%s is [%d, %d]; %s wants multiples of [%d, %d]"
              .formatted(
                  weight.module(), weight.rows(), weight.cols(), format.label(), rows, cols));
    }
  }

  private static List<PlannedTensor> tensors(
      QuantizeSettings settings,
      List<Weight> quantized,
      Optional<Weight> untied,
      FloatCodec stored,
      Checkpoint source) {
    var byTensor = new HashMap<String, Weight>();
    quantized.forEach(weight -> byTensor.put(weight.module() + ".weight", weight));
    var tensors = new ArrayList<PlannedTensor>();
    for (String name : names(source, untied)) {
      var weight = byTensor.get(name);
      if (weight == null) {
        var plain = source.tensor(origin(name, untied));
        tensors.add(new PlannedTensor(name, plain.dtype(), plain.shape()));
      } else {
        tensors.addAll(ModuleWriter.of(settings).plan(weight, DType.valueOf(stored.name())));
      }
    }
    return List.copyOf(tensors);
  }

  /** The names of all weights as they were, and of a head that is new. */
  private static Set<String> names(Checkpoint source, Optional<Weight> untied) {
    var names = new TreeSet<>(source.names());
    untied.ifPresent(_ -> names.add(HEAD_TENSOR));
    return names;
  }

  private static String origin(String name, Optional<Weight> untied) {
    return name.equals(HEAD_TENSOR)
        ? untied.map(table -> table.module() + ".weight").orElse(name)
        : name;
  }

  /** The tensors that stay as they are, by name, and those of the source that have them. */
  Map<String, String> copied(Checkpoint source) {
    var copied = new TreeMap<String, String>();
    names(source, untied).forEach(name -> copied.put(name, origin(name, untied)));
    all().forEach(weight -> copied.remove(weight.module() + ".weight"));
    return copied;
  }

  /** The weight of a matrix that is quantized. */
  Weight weight(QuantizedMatrix matrix) {
    return Objects.requireNonNull(weights.get(matrix), "planned");
  }

  /** Whether a linear is quantized. */
  boolean has(MatrixLinear linear) {
    return weights.containsKey(linear.parts().getFirst());
  }

  private static InferenceException unsupported(String what) {
    return new InferenceException(ErrorCode.UNSUPPORTED_QUANTIZATION, what);
  }
}
