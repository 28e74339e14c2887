package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.spi.ErrorCode;
import java.util.List;
import org.junit.jupiter.api.Test;

class GgufFilesTest {
  private static final List<String> FILES =
      List.of(
          "README.md",
          "imatrix_unsloth.gguf_file",
          "mmproj-F16.gguf",
          "model-Q4_K_M.gguf",
          "model-UD-Q4_K_XL.gguf",
          "model-q8_0.gguf",
          "model.IQ4_XS.gguf",
          "Q5_K_M/model-Q5_K_M-00001-of-00002.gguf",
          "Q5_K_M/model-Q5_K_M-00002-of-00002.gguf",
          "F16/model-F16-00001-of-00003.gguf");

  private static List<String> choose(String wanted, List<String> files) {
    return new GgufFiles(HubReference.parse(wanted).orElseThrow(), files).choose();
  }

  @Test
  void quantizationIsFoundInNames() {
    assertEquals(List.of("model-Q4_K_M.gguf"), choose("o/m:Q4_K_M", FILES));
    assertEquals(List.of("model-Q4_K_M.gguf"), choose("o/m:q4_k_m", FILES));
    assertEquals(List.of("model-q8_0.gguf"), choose("o/m:Q8_0", FILES));
    assertEquals(List.of("model.IQ4_XS.gguf"), choose("o/m:IQ4_XS", FILES));
    assertEquals(List.of("model-UD-Q4_K_XL.gguf"), choose("o/m:UD-Q4_K_XL", FILES));
    assertEquals(List.of("model-UD-Q4_K_XL.gguf"), choose("o/m:Q4_K_XL", FILES));
  }

  @Test
  void splitModelsComeWithAllParts() {
    var parts =
        List.of(
            "Q5_K_M/model-Q5_K_M-00001-of-00002.gguf", "Q5_K_M/model-Q5_K_M-00002-of-00002.gguf");
    assertEquals(parts, choose("o/m:Q5_K_M", FILES));
    assertEquals(parts, choose("o/m/" + parts.getLast(), FILES));
  }

  @Test
  void withoutAQuantizationItIsTheUsualOrTheOnlyOne() {
    assertEquals(List.of("model-Q4_K_M.gguf"), choose("o/m", FILES));
    assertEquals(List.of("a-Q2_K.gguf"), choose("o/m", List.of("a-Q2_K.gguf", "mmproj-a.gguf")));
  }

  @Test
  void whatThereIsNotIsAnsweredWithWhatThereIs() {
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT,
        () -> choose("o/m:Q6_K", FILES),
        "no GGUF file of quantization Q6_K",
        "o/m/FILE",
        "model-q8_0.gguf");
    Models.fails(ErrorCode.UNKNOWN_CHECKPOINT, () -> choose("o/m/x.gguf", FILES), "no file x.gguf");
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT, () -> choose("o/m:F16", FILES), "not all parts of F16/model");
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT,
        () -> choose("o/m", List.of("a-Q2_K.gguf", "b-Q2_K.gguf")),
        "no GGUF file of quantization Q4_K_M");
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT,
        () -> choose("o/m:Q2_K", List.of("a-Q2_K.gguf", "b-Q2_K.gguf")),
        "several");
  }
}
