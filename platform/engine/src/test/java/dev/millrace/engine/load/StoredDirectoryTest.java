package dev.millrace.engine.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.millrace.engine.text.ChatPrompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a directory of the original Qwen says about text, though most of it is in no file. */
class StoredDirectoryTest {
  private static final String CONFIG = "{\"tokenizer_class\": \"QWenTokenizer\"}";
  @TempDir private Path folder;

  @BeforeEach
  void writeDirectory() throws IOException {
    var lines = new StringBuilder();
    for (int b = 0; b < 256; b++) {
      lines.append(Base64.getEncoder().encodeToString(new byte[] {(byte) b}));
      lines.append(' ').append(b).append('\n');
    }
    Files.writeString(folder.resolve("qwen.tiktoken"), lines);
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"qwen\"}");
    Files.writeString(folder.resolve("tokenizer_config.json"), CONFIG);
  }

  private static ChatPrompt hello() {
    return new ChatPrompt(List.of(Map.of("role", "user", "content", "Hello")));
  }

  @Test
  void chatMlIsTheTemplateAndItsTurnsEndAnAnswer() throws IOException {
    Files.writeString(
        folder.resolve("generation_config.json"),
        "{\"chat_format\": \"chatml\", \"eos_token_id\": 256, \"top_p\": 0.8}");
    var stored = StoredModel.open(folder);
    assertEquals(List.of(256, 257, 258), stored.generation().eos());
    assertEquals(0.8, stored.generation().topP());
    assertEquals(
        """
        <|im_start|>system
        You are a helpful assistant.<|im_end|>
        <|im_start|>user
        Hello<|im_end|>
        <|im_start|>assistant
        """,
        stored.chatTemplate().render(hello()));
    try (var tokenizer = stored.tokenizer()) {
      assertArrayEquals(
          new int[] {257, 'H', 'i', 258}, tokenizer.encode("<|im_start|>Hi<|im_end|>", true));
    }
  }

  @Test
  void anotherSystemMessageTakesThePlaceOfTheUsualOne() {
    var messages =
        List.of(
            Map.of("role", "system", "content", "Be brief."),
            Map.of("role", "user", "content", "Hello"),
            Map.of("role", "assistant", "content", "Hi."),
            Map.of("role", "user", "content", "Bye"));
    assertEquals(
        """
        <|im_start|>system
        Be brief.<|im_end|>
        <|im_start|>user
        Hello<|im_end|>
        <|im_start|>assistant
        Hi.<|im_end|>
        <|im_start|>user
        Bye<|im_end|>
        <|im_start|>assistant
        """,
        StoredModel.open(folder).chatTemplate().render(new ChatPrompt(messages)));
  }

  @Test
  void aModelThatWasNotTrainedToChatHasNoTemplate() throws IOException {
    Files.writeString(folder.resolve("generation_config.json"), "{\"chat_format\": \"raw\"}");
    var stored = StoredModel.open(folder);
    assertFalse(stored.chatTemplate().exists());
    assertEquals(List.of(256), stored.generation().eos());
  }

  @Test
  void aTemplateInTheDirectoryComesFirst() throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"chat_template\": \"{{ messages | length }}\"}");
    assertEquals("1", StoredModel.open(folder).chatTemplate().render(hello()));
  }
}
