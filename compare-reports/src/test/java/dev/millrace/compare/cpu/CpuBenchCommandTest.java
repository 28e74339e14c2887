package dev.millrace.compare.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuBenchCommandTest {
  @TempDir Path folder;

  private static String said(int code, String... arguments) {
    var text = new StringWriter();
    var writer = new PrintWriter(text, true);
    assertEquals(code, CpuBenchCommand.run(writer, writer, arguments), text::toString);
    return text.toString();
  }

  @Test
  void unknownRowIsRefusedWithThoseThereAre() {
    String said = said(2, "--rows", "decode-q4,decode-q5");
    assertTrue(said.contains("'decode-q5'") && said.contains("prefill-bf16"), said);
  }

  @Test
  void wrongNumbersAndPathsAreRefused() throws Exception {
    assertTrue(said(2, "--turns", "0").contains("--turns"));
    assertTrue(said(2, "--peer-path", "models").contains("HERE=THERE"));
    Files.createFile(folder.resolve("summary.md"));
    assertTrue(said(2, "--out", folder.toString()).contains("is not empty"));
  }

  @Test
  void peersSeeFilesUnderTheirOwnName() {
    var peers =
        new Peers(
            Optional.of(List.of("enter", "run")),
            Optional.empty(),
            Optional.empty(),
            Path.of("/models/io"),
            Path.of("/io"));
    assertEquals("/io/q4/model.gguf", peers.seen(Path.of("/models/io/q4/model.gguf")));
    assertEquals("/elsewhere/model.gguf", peers.seen(Path.of("/elsewhere/model.gguf")));
    assertEquals(
        List.of("enter", "run", "llama-bench", "-p", "0"), peers.llama("llama-bench", "-p", "0"));
  }
}
