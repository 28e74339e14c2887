package dev.millrace.engine.quantize;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.load.FloatCodec;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import java.util.List;

/** The tensors of quantized modules, and what {@code config.json} says of them. */
record ModuleWriter(QuantizeSettings settings) {
  private static final float LARGEST_FP8 = 448;

  static ModuleWriter of(QuantizeSettings settings) {
    return new ModuleWriter(settings);
  }

  /** The tensors of a module, its bias not among them. */
  List<PlannedTensor> plan(Weight weight, DType scales) {
    int rows = weight.rows();
    int cols = weight.cols();
    var format = settings.format();
    int group = group(cols);
    return switch (format) {
      case INT4, INT8 ->
          CodeLayout.PACKED.plan(weight.module(), rows, cols, group, format.bits(), scales);
      case GPTQ -> CodeLayout.GPTQ.plan(weight.module(), rows, cols, group, format.bits(), scales);
      case AWQ -> CodeLayout.AWQ.plan(weight.module(), rows, cols, group, format.bits(), scales);
      case FP8 ->
          List.of(
              PlannedTensor.of(weight.module() + ".weight", DType.F8_E4M3, rows, cols),
              PlannedTensor.of(weight.module() + ".weight_scale", scales, rows, 1));
    };
  }

  /** Columns that share a scale. */
  int group(int cols) {
    return settings.format().grouped() ? settings.group() : cols;
  }

  /** Writes codes; again, if only their scales have changed. */
  void write(String module, GroupedCodes codes, FloatCodec stored, TensorFile file) {
    for (int row = 0; row < codes.rows(); row++) {
      for (int g = 0; g < codes.groups(); g++) {
        requireFinite(module, codes.scale(row, g), row);
      }
    }
    switch (settings.format()) {
      case INT4, INT8 -> CodeLayout.PACKED.write(module, codes, stored, file);
      case GPTQ -> CodeLayout.GPTQ.write(module, codes, stored, file);
      case AWQ -> CodeLayout.AWQ.write(module, codes, stored, file);
      case FP8 -> throw new AssertionError("codes in FP8");
    }
  }

  /** Rounds to E4M3 with a scale for each row, and writes that. */
  void writeFp8(Weight weight, FloatCodec stored, TensorFile file) {
    float[][] values = weight.values();
    var numbers = file.tensor(weight.module() + ".weight");
    var scales = file.tensor(weight.module() + ".weight_scale");
    float[] written = new float[values.length];
    for (int row = 0; row < values.length; row++) {
      float[] from = values[row];
      float largest = 0;
      for (float value : from) {
        largest = Math.max(largest, Math.abs(value));
      }
      float scale = stored.round(largest / LARGEST_FP8);
      requireFinite(weight.module(), scale, row);
      for (int i = 0; i < from.length; i++) {
        from[i] = scale == 0 ? 0 : from[i] / scale;
      }
      KvDtype.FP8_E4M3.encode(from, from.length, numbers, (long) row * from.length);
      written[row] = scale;
    }
    stored.encode(written, written.length, scales, 0);
  }

  private static void requireFinite(String module, float scale, int row) {
    if (!Float.isFinite(scale)) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "row %d of %s.weight has numbers too large for its scale".formatted(row, module));
    }
  }

  /** {@code quantization_config}. */
  ObjectNode config(QuantizePlan plan) {
    var config = JsonNodeFactory.instance.objectNode();
    var kept = plan.kept();
    switch (settings.format()) {
      case GPTQ -> gptq(config, plan);
      case AWQ -> {
        if (plan.head().isPresent()) {
          config.put("lm_head", true);
        }
        config.put("quant_method", "awq").put("bits", 4).put("group_size", settings.group());
        config.put("version", "gemm").put("zero_point", true);
        var names = config.putArray("modules_to_not_convert");
        kept.forEach(names::add);
      }
      case INT4, INT8, FP8 -> compressed(config, plan);
    }
    return config;
  }

  private void gptq(ObjectNode config, QuantizePlan plan) {
    boolean head = plan.head().isPresent();
    config.put("quant_method", "gptq").put("checkpoint_format", "gptq").put("bits", 4);
    config.put("group_size", settings.group()).put("sym", true).put("lm_head", head);
    // rounded by importance, but in groups that lie side by side
    config.put("desc_act", false).put("static_groups", true).put("true_sequential", true);
    config.put("damp_percent", settings.damping());
    var kept = plan.kept().stream().filter(module -> !module.equals(ModelEnds.HEAD)).toList();
    if (!kept.isEmpty()) {
      var dynamic = config.putObject("dynamic");
      kept.forEach(module -> dynamic.putObject("-:" + module.replace(".", "\\.") + "$"));
    }
  }

  private void compressed(ObjectNode config, QuantizePlan plan) {
    boolean floats = settings.format() == QuantizedFormat.FP8;
    String format = floats ? "float-quantized" : "pack-quantized";
    config.put("quant_method", "compressed-tensors").put("format", format);
    config.put("quantization_status", "compressed");
    var ignore = config.putArray("ignore");
    plan.kept().forEach(ignore::add);
    var group = config.putObject("config_groups").putObject("group_0");
    var targets = group.putArray("targets").add("Linear");
    if (plan.ends().size() > plan.head().stream().count()) {
      targets.add("Embedding");
    }
    var weights = group.putObject("weights");
    weights.put("num_bits", settings.format().bits()).put("type", floats ? "float" : "int");
    weights.put("symmetric", true).put("dynamic", false);
    weights.put("strategy", settings.format().grouped() ? "group" : "channel");
    if (settings.format().grouped()) {
      weights.put("group_size", settings.group());
    }
    group.putNull("input_activations").putNull("output_activations");
  }
}
