package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.Arrays;
import java.util.Optional;

/**
 * The block encodings of GGUF files, without loss. The engine shows a matrix in such an encoding as
 * a tensor {@code <matrix>.q4_k} of bytes [rows, bytes of a row]; what is stored as plain numbers
 * is {@code <matrix>.weight}, as anywhere, and read by {@link NonePlugin}.
 */
public final class GgufPlugin implements QuantizationPlugin {
  @Override
  public String name() {
    return "gguf";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return stored(matrix, checkpoint).isPresent();
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var type =
        stored(matrix, checkpoint)
            .orElseThrow(() ->
                new InferenceException(
                    ErrorCode.MISSING_TENSOR, matrix + " is stored in no block encoding"));
    return BlockRows.of(checkpoint.tensor(type.tensor(matrix)), type)
        .matrix(matrix + " from " + type, checkpoint);
  }

  private static Optional<GgmlBlock> stored(String matrix, Checkpoint checkpoint) {
    return Arrays.stream(GgmlBlock.values())
        .filter(type -> checkpoint.has(type.tensor(matrix)))
        .findFirst();
  }
}
