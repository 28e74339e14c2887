package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * bitsandbytes checkpoints in NF4 and FP4, with scales that are quantized themselves or not: {@code
 * <matrix>.weight} U8 and what is called so and {@code .absmax}, {@code .quant_map}, {@code
 * .quant_state…}, {@code .nested_…}.
 *
 * @see <a href="https://github.com/bitsandbytes-foundation/bitsandbytes">bitsandbytes</a>
 */
public final class BitsAndBytesPlugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "bitsandbytes";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    String name = matrix + ".weight";
    if (!checkpoint.has(name)) {
      return false;
    }
    return switch (checkpoint.tensor(name).dtype()) {
      case U8, I8 -> true;
      case F64, F32, F16, BF16, F8_E4M3, F8_E5M2, F8_E8M0, I64, I32, I16, U64, U32, U16, BOOL ->
          false;
    };
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    String name = matrix + ".weight";
    if (checkpoint.tensor(name).dtype() == DType.I8) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          name
              + " is in LLM.int8() of bitsandbytes, which is not read; its NF4 and FP4 are, and"
              + " --quantization int8 makes 8 bits of an unquantized checkpoint");
    }
    Exclusions.check(matrix, name, checkpoint.quantization(), "llm_int8_skip_modules");
    return TableCodes.of(name, checkpoint).matrix(matrix + " from bitsandbytes", checkpoint);
  }
}
