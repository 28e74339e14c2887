package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import java.util.List;

/**
 * A model's programs and how their numbers are kept.
 *
 * @param dtype of keys and values
 */
record ModelPrograms(Program body, Program head, Precision precision, KvDtype dtype) {

  /** Records a model. */
  static ModelPrograms of(Model model, ModelSpec spec, KvDtype dtype) {
    var body = Program.hidden(model, spec);
    var head = Program.head(model, spec);
    return new ModelPrograms(body, head, Precision.of(List.of(body, head), dtype), dtype);
  }

  List<Program> all() {
    return List.of(body, head);
  }

  NumberTypes bodyTypes() {
    return NumberTypes.body(body, precision);
  }

  NumberTypes headTypes() {
    return NumberTypes.head(head, precision);
  }

  /**
   * Bytes on the device but for the cache.
   *
   * @param rows of the largest step
   * @param picks of the head, at a time
   */
  long bytes(int rows, int picks) {
    long library = precision == Precision.BFLOAT16 ? BlasProducts.WORKSPACE_BYTES : 0;
    return library
        + Weights.bytes(all(), precision)
        + Activations.bytes(body, bodyTypes(), dtype, rows)
        + Activations.bytes(head, headTypes(), dtype, picks);
  }

  /**
   * How rows are shared out to the kernels that attend.
   *
   * @param invariant whether a row is to be computed by the same kernels in every step
   */
  StepInput.AttentionShape attention(int multiprocessors, boolean invariant) {
    int rowsPerTile = Integer.MAX_VALUE;
    int kvHeads = 1;
    for (var instruction : body.instructions()) {
      if (instruction instanceof Instruction.Attend attend
          && AttentionCompiler.onTensorCores(attend, precision, dtype)) {
        rowsPerTile = Math.min(rowsPerTile, AttentionCompiler.rowsPerTile(attend));
        kvHeads = Math.max(kvHeads, attend.k().width() / attend.attention().headDim());
      }
    }
    if (rowsPerTile == Integer.MAX_VALUE) {
      return StepInput.AttentionShape.PLAIN;
    }
    var parts = new PartLength(AttentionCompiler.decodeBlocks(multiprocessors), kvHeads);
    return new StepInput.AttentionShape(rowsPerTile, parts, !invariant);
  }
}
