package dev.millrace.testkit;

import dev.millrace.testkit.CheckpointWriter.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes the tensors of experts, as transformers 5 stacks them, apart into those of transformers 4.
 */
final class StackedExperts {
  private static final String GATE_UP = "experts.gate_up_proj";
  private static final String DOWN = "experts.down_proj";

  private StackedExperts() {}

  /**
   * The tensors, with one of each expert in place of the stacked ones.
   *
   * @param mixtral whether they get the names of Mixtral, not those of Qwen
   */
  static Map<String, Tensor> apart(Map<String, Tensor> tensors, boolean mixtral) {
    var apart = new LinkedHashMap<String, Tensor>();
    tensors.forEach((name, tensor) -> {
      String renamed = mixtral ? name.replace(".mlp.", ".block_sparse_moe.") : name;
      if (name.endsWith(GATE_UP)) {
        var names = mixtral ? List.of("w1", "w3") : List.of("gate_proj", "up_proj");
        cut(renamed.replace("gate_up_proj", ""), names, tensor, apart);
      } else if (name.endsWith(DOWN)) {
        var names = List.of(mixtral ? "w2" : "down_proj");
        cut(renamed.replace("down_proj", ""), names, tensor, apart);
      } else {
        apart.put(renamed, tensor);
      }
    });
    return apart;
  }

  private static void cut(
      String prefix, List<String> names, Tensor stacked, Map<String, Tensor> apart) {
    int experts = stacked.shape()[0];
    int[] shape = {stacked.shape()[1] / names.size(), stacked.shape()[2]};
    int bytes = stacked.bytes().length / experts / names.size();
    int at = 0;
    for (int expert = 0; expert < experts; expert++) {
      for (String name : names) {
        byte[] part = Arrays.copyOfRange(stacked.bytes(), at, at += bytes);
        apart.put(
            prefix + expert + "." + name + ".weight", new Tensor(stacked.dtype(), shape, part));
      }
    }
  }
}
