package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint of the original Qwen over HTTP: no tokenizer.json and no template in a file. */
class QwenApiTest {
  private static final String CHAT = "\"messages\":[{\"role\":\"user\",\"content\":\"Größe?\"}]";
  private static final String PROMPT =
      """
      <|im_start|>system
      You are a helpful assistant.<|im_end|>
      <|im_start|>user
      Größe?<|im_end|>
      <|im_start|>assistant
      """;

  @TempDir private Path folder;

  private void writeModel() throws IOException {
    var lines = new StringBuilder();
    for (int b = 0; b < 256; b++) {
      lines.append(Base64.getEncoder().encodeToString(new byte[] {(byte) b}));
      lines.append(' ').append(b).append('\n');
    }
    Files.writeString(folder.resolve("qwen.tiktoken"), lines);
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"QWenTokenizer\"}");
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"architectures": ["QWenLMHeadModel"], "model_type": "qwen", "hidden_size": 64,
         "intermediate_size": 256, "kv_channels": 16, "num_attention_heads": 4,
         "num_hidden_layers": 2, "seq_length": 160, "max_position_embeddings": 32768,
         "use_dynamic_ntk": true, "use_logn_attn": true, "vocab_size": 512}
        """);
  }

  @Test
  void chatIsAnsweredAndWhatIsLongerThanTheSequenceIsRefused() throws IOException {
    writeModel();
    var flags = Map.<String, Object>of("model", folder.toString(), "load-format", "dummy");
    try (var server = TestServer.start(flags)) {
      var rendered = server.http().post("/v1/chat/completions/render", "{" + CHAT + "}").json();
      assertEquals(PROMPT, rendered.get("prompt").asText());
      var reply = server.http().chat("{" + CHAT + ",\"max_tokens\":8,\"ignore_eos\":true}");
      assertEquals(200, reply.status(), reply.text());
      assertEquals(8, reply.json().at("/usage/completion_tokens").asInt());
      assertEquals(
          rendered.get("token_ids").size(), reply.json().at("/usage/prompt_tokens").asInt());
      var tooLong = server.http().complete("{\"prompt\":\"" + "a".repeat(161) + "\"}");
      assertEquals(400, tooLong.status(), tooLong.text());
      assertTrue(tooLong.text().contains("161 tokens"), tooLong.text());
      assertTrue(tooLong.text().contains("context holds 160"), tooLong.text());
    }
  }
}
