package dev.millrace.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
  private static final String CHAT_ML =
      """
      {%- for message in messages %}
          {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
      {%- endfor %}
      {%- if add_generation_prompt %}
          {{- '<|im_start|>assistant\\n' }}
      {%- endif %}
      """;

  @TempDir Path directory;

  private static Map<String, @Nullable Object> message(String role, @Nullable Object content) {
    var message = new HashMap<String, @Nullable Object>();
    message.put("role", role);
    message.put("content", content);
    return message;
  }

  private ChatTemplate template(String source) throws IOException {
    Files.writeString(directory.resolve("chat_template.jinja"), source);
    return ChatTemplate.open(
        directory, Clock.fixed(Instant.parse("2025-07-10T12:00:00Z"), ZoneOffset.UTC));
  }

  private static ChatPrompt tools(List<? extends Map<String, ?>> messages) {
    return new ChatPrompt(messages, List.of(Map.of("name", "f")), null, true, false, Map.of());
  }

  private static ChatPrompt continued(List<? extends Map<String, ?>> messages) {
    return new ChatPrompt(messages, null, null, false, true, Map.of());
  }

  private static InferenceException refused(ChatTemplate template, ChatPrompt prompt) {
    var failure = assertThrows(InferenceException.class, () -> template.render(prompt));
    assertEquals(ErrorCode.INVALID_REQUEST, failure.code());
    return failure;
  }

  @Test
  void aConversationIsLaidOutAndTheAnswerOpened() throws IOException {
    var messages = List.of(message("system", "Be brief."), message("user", "Hi {{ 7 * 6 }} {% x"));
    assertEquals(
        """
        <|im_start|>system
        Be brief.<|im_end|>
        <|im_start|>user
        Hi {{ 7 * 6 }} {% x<|im_end|>
        <|im_start|>assistant
        """,
        template(CHAT_ML).render(new ChatPrompt(messages)));
  }

  @Test
  void theTemplateFileComesBeforeTheConfig() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer_config.json"), "{\"chat_template\": \"from the config\"}");
    var prompt = new ChatPrompt(List.of(message("user", "Hi")));
    assertEquals("from the config", ChatTemplate.open(directory).render(prompt));
    assertEquals("from the file", template("from the file").render(prompt));
  }

  @Test
  void aNamedToolTemplateServesRequestsWithTools() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        JsonMapper.builder()
            .build()
            .writeValueAsString(
                Map.of(
                    "chat_template",
                    List.of(
                        Map.of("name", "default", "template", "plain {{ tools is none }}"),
                        Map.of("name", "tool_use", "template", "{{ tools[0].name }}")))));
    ChatTemplate template = ChatTemplate.open(directory);
    var messages = List.of(message("user", "Hi"));
    assertEquals("plain True", template.render(new ChatPrompt(messages)));
    assertEquals("f", template.render(tools(messages)));
  }

  @Test
  void specialTokensToolsDocumentsAndTheDateAreThere() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"</s>\", \"pad_token\": null}");
    assertEquals(
        "<s></s> False None None 10 Jul 2025 no",
        template(
                "{{ bos_token }}{{ eos_token }} {{ pad_token is defined }} {{ tools }} "
                    + "{{ documents }} {{ strftime_now('%d %b %Y') }} {{ thinking }}")
            .render(
                new ChatPrompt(
                    List.of(message("user", "Hi")),
                    null,
                    null,
                    true,
                    false,
                    Map.of("thinking", "no"))));
  }

  @Test
  void argumentsOfToolCallsAreObjects() throws IOException {
    ChatTemplate template =
        template(
            "{% for c in messages[0].tool_calls %}"
                + "{% for k, v in c.function.arguments.items() %}{{ k }}={{ v | tojson }};"
                + "{% endfor %}{% endfor %}");
    var call = message("assistant", null);
    call.put(
        "tool_calls",
        List.of(
            Map.of("function", Map.of("name", "f", "arguments", "{\"a\": 1, \"b\": [1.0, null]}")),
            Map.of("function", Map.of("name", "g", "arguments", "")),
            Map.of("function", Map.of("name", "h", "arguments", Map.of("c", "d")))));
    assertEquals("a=1;b=[1.0, null];c=\"d\";", template.render(new ChatPrompt(List.of(call))));
    for (String bad : List.of("{\"a\": ", "[1]", "{} {}")) {
      call.put("tool_calls", List.of(Map.of("function", Map.of("name", "f", "arguments", bad))));
      var failure = refused(template, new ChatPrompt(List.of(call)));
      assertTrue(String.valueOf(failure.getMessage()).startsWith("messages[0].tool_calls"));
    }
  }

  @Test
  void theLastMessageCanBeLeftOpen() throws IOException {
    var open = List.of(message("user", "Hi"), message("assistant", "Well, "));
    assertEquals(
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nWell, ",
        template(CHAT_ML).render(continued(open)));
    assertEquals(
        "Well,", template("{{ messages[-1].content | trim }}<|end|>").render(continued(open)));
    var parts = List.of(message("assistant", List.of(Map.of("type", "text", "text", "Well, "))));
    assertEquals(
        "Well, ", template("{{ messages[0].content[0].text }}<|end|>").render(continued(parts)));
    refused(template("nothing"), continued(open));
    refused(template(CHAT_ML), continued(List.of(message("assistant", null))));
  }

  @Test
  void aPromptCannotBothOpenAndContinueATurn() {
    var messages = List.of(message("user", "Hi"));
    assertThrows(
        InferenceException.class, () -> new ChatPrompt(messages, null, null, true, true, Map.of()));
    assertThrows(InferenceException.class, () -> new ChatPrompt(List.of()));
  }

  @Test
  void aModelWithoutATemplateSaysWhatWouldDo() {
    ChatTemplate template = ChatTemplate.open(directory);
    assertFalse(template.exists());
    var failure = refused(template, new ChatPrompt(List.of(message("user", "Hi"))));
    assertTrue(String.valueOf(failure.getMessage()).contains("/v1/completions"));
  }

  @Test
  void aRefusalOfTheTemplateKeepsItsWords() throws IOException {
    var prompt = new ChatPrompt(List.of(message("robot", "Hi")));
    var raised = refused(template("{{ raise_exception('no role ' + messages[0].role) }}"), prompt);
    assertEquals("no role robot", raised.getMessage());
    var fault = refused(template("a\n{{ messages[0].nope.deeper }}"), prompt);
    assertEquals(
        "the chat template failed at line 2: 'dict object' has no attribute 'nope'",
        fault.getMessage());
    var endless =
        refused(
            template(
                "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"),
            prompt);
    assertTrue(String.valueOf(endless.getMessage()).contains("steps"));
  }

  @Test
  void aMalformedTemplateIsNamedWithItsLine() {
    var failure = assertThrows(InferenceException.class, () -> template("ok\n{% if %}"));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, failure.code());
    assertTrue(String.valueOf(failure.getMessage()).contains("chat_template.jinja"));
    assertTrue(String.valueOf(failure.getMessage()).contains("line 2"));
  }
}
