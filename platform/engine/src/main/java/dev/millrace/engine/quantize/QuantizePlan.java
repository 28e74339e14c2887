package dev.millrace.engine.quantize;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.load.FloatCodec;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Which modules are quantized, and the tensors of the new checkpoint. Quantized is what the body of
 * a model multiplies with, but for the routers of experts; token tables and heads stay.
 *
 * @param weights by module, in the order of the model
 * @param kept linears that stay as they are
 * @param tensors of the new checkpoint
 * @param stored what scales are written in
 */
record QuantizePlan(
    Map<QuantizedMatrix, Weight> weights,
    List<String> kept,
    List<PlannedTensor> tensors,
    FloatCodec stored) {

  /**
   * Plans a checkpoint.
   *
   * @throws InferenceException {@code UNSUPPORTED_QUANTIZATION} naming a module that cannot be
   *     quantized so
   */
  static QuantizePlan of(
      QuantizeSettings settings, Program body, NamedMatrices named, Checkpoint source) {
    var routers = body.routers();
    var weights = new LinkedHashMap<QuantizedMatrix, Weight>();
    var kept = new ArrayList<>(List.of("lm_head"));
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
    checkExperts(settings, body);
    var stored = stored(settings, weights.values().iterator().next(), source);
    weights.values().forEach(weight -> check(settings, weight, weights.values(), source));
    return new QuantizePlan(weights, kept, tensors(settings, weights, stored, source), stored);
  }

  private static void checkExperts(QuantizeSettings settings, Program body) {
    if (settings.calibrates()
        && body.instructions().stream().anyMatch(i -> i instanceof Instruction.Mix)) {
      throw unsupported(
          "models of experts are not calibrated; int4, int8 and fp8 only round, and so does "
              + settings.format().label()
              + " without a calibration text");
    }
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
          tensor + " is not there by itself; experts that are stored together are not quantized");
    }
    return codec;
  }

  private static void check(
      QuantizeSettings settings, Weight weight, Iterable<Weight> all, Checkpoint source) {
    var _ = codec(source, weight.module());
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
    int rows = format == QuantizedFormat.GPTQ || format == QuantizedFormat.AWQ ? 8 : 1;
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
      Map<QuantizedMatrix, Weight> weights,
      FloatCodec stored,
      Checkpoint source) {
    var byTensor = new LinkedHashMap<String, Weight>();
    weights.values().forEach(weight -> byTensor.put(weight.module() + ".weight", weight));
    var tensors = new ArrayList<PlannedTensor>();
    for (String name : source.names().stream().sorted().toList()) {
      var weight = byTensor.get(name);
      if (weight == null) {
        var plain = source.tensor(name);
        tensors.add(new PlannedTensor(name, plain.dtype(), plain.shape()));
      } else {
        tensors.addAll(ModuleWriter.of(settings).plan(weight, DType.valueOf(stored.name())));
      }
    }
    return List.copyOf(tensors);
  }

  /** The tensors that stay as they are. */
  List<String> copied(Checkpoint source) {
    var quantized = new HashSet<String>();
    weights.values().forEach(weight -> quantized.add(weight.module() + ".weight"));
    return source.names().stream().filter(name -> !quantized.contains(name)).toList();
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
