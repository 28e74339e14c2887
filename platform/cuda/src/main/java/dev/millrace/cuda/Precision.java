package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.List;
import java.util.stream.Stream;

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
        dtype == KvDtype.BFLOAT16
            && programs.stream()
                .flatMap(Precision::matrices)
                .map(QuantizedMatrix::format)
                .noneMatch(format ->
                    format instanceof DeviceFormat.F32 || format instanceof DeviceFormat.F16);
    return rounded ? BFLOAT16 : FLOAT32;
  }

  private static Stream<QuantizedMatrix> matrices(Program program) {
    var tables =
        program.instructions().stream()
            .filter(Instruction.Embed.class::isInstance)
            .map(embed -> ((Instruction.Embed) embed).table().table());
    return Stream.concat(
        tables, program.linears().stream().flatMap(linear -> linear.parts().stream()));
  }
}
