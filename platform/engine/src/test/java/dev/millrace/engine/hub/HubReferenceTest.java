package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubReferenceTest {
  @ParameterizedTest
  @CsvSource(
      value = {
        "org/name                   | org/name | main       |                |",
        "org/name:v1.0              | org/name | v1.0       |                |",
        "org/name:refs/pr/7         | org/name | refs/pr/7  |                |",
        "org/name:0123abc           | org/name | 0123abc    |                |",
        "Qwen/Qwen2.5-0.5B_x        | Qwen/Qwen2.5-0.5B_x | main |           |",
        "org/name:Q4_K_M            | org/name | main       |                | Q4_K_M",
        "org/name:iq3_xxs           | org/name | main       |                | iq3_xxs",
        "org/name:UD-Q2_K_XL        | org/name | main       |                | UD-Q2_K_XL",
        "org/name:bf16              | org/name | main       |                | bf16",
        "org/name:MXFP4_MOE         | org/name | main       |                | MXFP4_MOE",
        "org/name/a.gguf            | org/name | main       | a.gguf         |",
        "org/name/Q8_0/a.gguf:v2    | org/name | v2         | Q8_0/a.gguf    |"
      },
      delimiter = '|',
      nullValues = "")
  void spellingsAreUnderstood(
      String text, String repository, String revision, String file, String quantization) {
    var wanted =
        new HubReference(
            repository,
            revision,
            file == null ? "" : file,
            quantization == null ? "" : quantization);
    assertEquals(Optional.of(wanted), HubReference.parse(text));
    assertEquals(text, wanted.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "name",
        "/org/name",
        "org/",
        "org/name/",
        "org/name/more",
        "a/../b",
        "../name",
        "org/..",
        "org/a--b",
        "org/.name",
        "org/name.",
        "org/name:",
        "org/name:../x",
        "org/name:a/../b",
        "org/name:/x",
        "org/name:a//b",
        "org/name:.lock",
        "org/name/../x.gguf",
        "org/name.gguf",
        "org/na me",
        "https://huggingface.co/org/name"
      })
  void otherTextsAreNone(String text) {
    assertEquals(Optional.empty(), HubReference.parse(text));
  }
}
