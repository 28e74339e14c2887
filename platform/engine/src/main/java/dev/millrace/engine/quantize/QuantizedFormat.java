package dev.millrace.engine.quantize;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Arrays;
import java.util.Locale;

/** What a model can be quantized to. */
public enum QuantizedFormat {
  /** 4 bits, symmetric, in groups, rounded to nearest; compressed-tensors, pack-quantized. */
  INT4(4, true, false),
  /** 8 bits, symmetric, by row, rounded to nearest; compressed-tensors, pack-quantized. */
  INT8(8, true, false),
  /** E4M3, by row, rounded to nearest; compressed-tensors, float-quantized. */
  FP8(8, true, false),
  /** 4 bits, symmetric, in groups, with errors made good by later columns; GPTQ. */
  GPTQ(4, true, true),
  /** 4 bits with zeros, in groups, after scaling by activations; AWQ in the GEMM layout. */
  AWQ(4, false, true);

  private final int bits;
  private final boolean symmetric;
  private final boolean calibrated;

  QuantizedFormat(int bits, boolean symmetric, boolean calibrated) {
    this.bits = bits;
    this.symmetric = symmetric;
    this.calibrated = calibrated;
  }

  /**
   * The format of this name.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if there is none
   */
  public static QuantizedFormat of(String name) {
    return Arrays.stream(values())
        .filter(format -> format.label().equals(name))
        .findAny()
        .orElseThrow(() ->
            new InferenceException(
                ErrorCode.INVALID_CONFIGURATION,
                "nothing is quantized to %s; known: %s"
                    .formatted(
                        name, Arrays.stream(values()).map(QuantizedFormat::label).toList())));
  }

  /** As users write it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  int bits() {
    return bits;
  }

  boolean symmetric() {
    return symmetric;
  }

  /** Whether it looks at what a model makes of a text. */
  boolean calibrated() {
    return calibrated;
  }

  /** Whether nothing but linears can be stored in it, of 8 outputs or a multiple. */
  boolean linearsOnly() {
    return this == GPTQ || this == AWQ;
  }

  /** Whether weights share a scale in groups, else by row. */
  boolean grouped() {
    return bits == 4;
  }
}
