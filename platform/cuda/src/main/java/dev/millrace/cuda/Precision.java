package dev.millrace.cuda;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.Program;
import java.util.List;

/** The type of activations, and of weights that no kernel reads in their own form. */
enum Precision {
  FLOAT32("f32", Float.BYTES),
  BFLOAT16("bf16", Short.BYTES);

  private final String suffix;
  private final int bytes;

  Precision(String suffix, int bytes) {
    this.suffix = suffix;
    this.bytes = bytes;
  }

  /** Its name in the kernels' symbols. */
  String suffix() {
    return suffix;
  }

  /** Bytes of a number. */
  int bytes() {
    return bytes;
  }

  /**
   * BF16 where keys and values are BF16 and no matrix has a finer type than that, as a model of
   * that type is computed everywhere; else F32.
   */
  static Precision of(List<Program> programs, KvDtype dtype) {
    boolean rounded =
        dtype == KvDtype.BFLOAT16 && programs.stream().noneMatch(Program::finerThanBfloat16);
    return rounded ? BFLOAT16 : FLOAT32;
  }
}
