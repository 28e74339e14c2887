package dev.millrace.engine.gguf;

import dev.millrace.spi.quant.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Lists the tensors of a model in the terms of Hugging Face checkpoints. */
final class GgufWeights {
  private final GgufParts parts;
  private final GgufFamily family;
  private final Map<String, GgufWeight> weights = new LinkedHashMap<>();

  private GgufWeights(GgufParts parts, GgufFamily family) {
    this.parts = parts;
    this.family = family;
  }

  /**
   * All tensors by name.
   *
   * @throws dev.millrace.spi.InferenceException {@code INVALID_CHECKPOINT} if one has a shape that
   *     contradicts what it is
   */
  static Map<String, GgufWeight> of(GgufParts parts, GgufFamily family) {
    var all = new GgufWeights(parts, family);
    for (int i = 0; i < parts.files().size(); i++) {
      for (var tensor : parts.files().get(i).tensors()) {
        if (!GgufRope.isTable(tensor.name())) {
          all.add(i, tensor);
        }
      }
    }
    return all.weights;
  }

  private void add(int file, GgufTensor tensor) {
    String name = family.hubName(tensor.name());
    if (!name.contains("*")) {
      put(file, tensor, name, tensor.shape(), tensor.begin(), tensor.bytes());
      return;
    }
    if (tensor.shape().size() != 3) {
      throw wrong(tensor, "experts are [experts, rows, columns]");
    }
    int experts = Math.toIntExact(Math.min(tensor.shape().getFirst(), 1 << 16));
    long bytes = experts == 0 ? 0 : tensor.bytes() / tensor.shape().getFirst();
    for (int i = 0; i < experts; i++) {
      put(
          file,
          tensor,
          name.replace("*", String.valueOf(i)),
          tensor.shape().subList(1, 3),
          tensor.begin() + i * bytes,
          bytes);
    }
  }

  private void put(
      int file, GgufTensor tensor, String name, List<Long> shape, long begin, long bytes) {
    var type = tensor.type();
    var dtype = type.dtype();
    List<Long> seen = shape;
    String called = name;
    if (dtype == null) { // in blocks
      seen = new ArrayList<>(shape);
      seen.set(shape.size() - 1, tensor.rowBytes());
      called = name.endsWith(".weight") ? name.substring(0, name.length() - 6) : name + ".";
      called += type.suffix();
    }
    boolean lessOne = family.isGemma() && dtype == DType.F32 && name.endsWith("norm.weight");
    weights.put(
        called,
        new GgufWeight(
            called,
            tensor.name(),
            dtype == null ? DType.U8 : dtype,
            seen,
            file,
            begin,
            bytes,
            rotated(tensor, name),
            lessOne));
  }

  /** How many heads the rows of a tensor belong to, if they are stored in another order. */
  private int rotated(GgufTensor tensor, String name) {
    boolean queries = name.contains(".self_attn.q_proj.");
    if (!family.permuted() || !(queries || name.contains(".self_attn.k_proj."))) {
      return 0;
    }
    var metadata = parts.metadata();
    String key = family.architecture() + ".attention.head_count";
    int heads = metadata.integer(key);
    heads = queries ? heads : metadata.optionalInteger(key + "_kv").orElse(heads);
    long rows = tensor.shape().getFirst();
    if (heads < 1 || rows % heads != 0 || rows / heads % 2 != 0) {
      throw wrong(tensor, heads + " heads of even width do not make it up");
    }
    return heads;
  }

  private RuntimeException wrong(GgufTensor tensor, String what) {
    return parts.metadata().wrong("%s is %s; %s".formatted(tensor.name(), tensor.shape(), what));
  }
}
