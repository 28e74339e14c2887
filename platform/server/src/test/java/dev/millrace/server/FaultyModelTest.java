package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A part of the model that fails on one request costs that request, and says so to its sender. */
@Timeout(60)
class FaultyModelTest {
  private static final String NEIGHBOUR =
      "{\"prompt\":[5,6,7],\"max_tokens\":300,\"ignore_eos\":true,\"temperature\":0}";
  private static final int BROKEN = 99;
  private static final String MARKED =
      "{\"prompt\":[7," + BROKEN + "],\"max_tokens\":4,\"stream\":%s}";

  @TempDir private Path directory;

  private static String chat(String content) {
    return "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"max_tokens\":2}"
        .formatted(content);
  }

  /** Has these faults happen in the middle of another request, which must not change. */
  private static void beside(Map<String, Object> flags, Consumer<Http> faults) {
    var all = new HashMap<>(flags);
    all.put("max-num-seqs", "4");
    try (var server = TestServer.start(all)) {
      var http = server.http();
      var alone = http.complete(NEIGHBOUR).json().at("/choices/0/text");
      var neighbour = CompletableFuture.supplyAsync(() -> http.complete(NEIGHBOUR));
      faults.accept(http);
      assertEquals(alone, neighbour.join().json().at("/choices/0/text"));
      assertEquals(200, http.get("/health").status());
      assertEquals(0, http.metric("vllm:num_requests_running"));
    }
  }

  private Map<String, Object> model(String file, String text) throws IOException {
    copyModel();
    Files.writeString(directory.resolve(file), text);
    return Map.of("model", directory.toString());
  }

  private void copyModel() throws IOException {
    try (var files = Files.newDirectoryStream(Path.of(TestServer.MODEL_DIRECTORY))) {
      for (var file : files) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void templateThatRefusesOrFails() throws IOException {
    var template =
        """
        {%- set said = messages[0]['content'] -%}
        {%- if said == 'refuse' -%}{{ raise_exception('roles must alternate') }}{%- endif -%}
        {%- if said == 'fail' -%}{{ 1 // 0 }}{%- endif -%}
        {%- if said == 'deep' -%}{%- macro again() -%}{{ again() }}{%- endmacro -%}{{ again() }}{%- endif -%}
        {{ said }}\
        """;
    beside(
        model("chat_template.jinja", template),
        http -> {
          var refused = http.chat(chat("refuse"));
          assertEquals(400, refused.status(), refused.text());
          assertEquals("roles must alternate", refused.error().path("message").asText());
          for (var content : new String[] {"fail", "deep"}) {
            var failed = http.chat(chat(content));
            assertEquals(400, failed.status(), failed.text());
            var message = failed.error().path("message").asText();
            assertTrue(message.startsWith("the chat template failed at line"), message);
          }
          assertEquals(200, http.chat(chat("hello")).status());
        });
  }

  @Test
  void tokenizerThatFails() throws IOException {
    var knowsOneWord =
        """
        {"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
         "pre_tokenizer": {"type": "Whitespace"}, "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
         "model": {"type": "WordLevel", "vocab": {"a": 5}, "unk_token": "none"}}\
        """;
    beside(
        model("tokenizer.json", knowsOneWord),
        http -> {
          for (var reply :
              new Http.Reply[] {
                http.complete("{\"prompt\":\"a b\",\"max_tokens\":2}"),
                http.complete("{\"prompt\":[\"a\",\"b\"],\"max_tokens\":2}"),
                http.complete("{\"prompt\":\"a b\",\"max_tokens\":2,\"stream\":true}"),
                http.chat(chat("b")),
              }) {
            assertEquals(400, reply.status(), reply.text());
            var message = reply.error().path("message").asText();
            assertTrue(message.startsWith("the tokenizer cannot encode this text"), message);
          }
          assertEquals(200, http.complete("{\"prompt\":\"a a\",\"max_tokens\":2}").status());
        });
  }

  @Test
  void rowThatIsNotANumber() throws IOException {
    copyModel();
    breakEmbedding(directory.resolve("model.safetensors"), BROKEN);
    beside(
        Map.of("model", directory.toString()),
        http -> {
          var whole = http.complete(MARKED.formatted(false));
          assertEquals(500, whole.status(), whole.text());
          assertEquals("numerical_failure", whole.error().path("code").asText());
          assertEquals("server_error", whole.error().path("type").asText());
          // nothing was sent yet, so the status can still say it
          var streamed = http.complete(MARKED.formatted(true));
          assertEquals(500, streamed.status(), streamed.text());
          assertEquals("numerical_failure", streamed.error().path("code").asText());
        });
  }

  /** Makes the embedding of one token, in BF16, nothing but NaN. */
  private static void breakEmbedding(Path file, int token) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    var view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.toIntExact(view.getLong(0));
    var json =
        new ObjectMapper()
            .readTree(new String(bytes, Long.BYTES, header, StandardCharsets.UTF_8))
            .path("model.embed_tokens.weight");
    assertEquals("BF16", json.path("dtype").asText());
    int width = json.at("/shape/1").asInt();
    int start = Long.BYTES + header + json.at("/data_offsets/0").asInt() + token * width * 2;
    for (int i = 0; i < width; i++) {
      view.putShort(start + 2 * i, (short) 0x7fc0);
    }
    Files.write(file, bytes);
  }

  /** Plans as well as it can until a request for 77 tokens comes. */
  public static final class ThrowingPlugin implements SchedulerPlugin {
    @Override
    public String name() {
      return "throwing";
    }

    @Override
    public Scheduler create(Map<String, String> settings) {
      return ThrowingPlugin::plan;
    }

    private static StepPlan plan(EngineView view) {
      var all = Stream.concat(view.running().stream(), view.waiting().stream()).toList();
      if (all.stream().anyMatch(sequence -> sequence.maxTotal() == 77)) {
        throw new IllegalStateException("a fault of the plugin");
      }
      return StepPlan.of(all.stream().map(sequence -> new Grant(sequence.id(), 1)).toList());
    }
  }

  @Test
  void schedulerThatThrowsCostsNobodyAnything() throws IOException {
    PluginFolder.fill(directory, ThrowingPlugin.class);
    var flags = Map.<String, Object>of("plugins", directory.toString(), "scheduler", "throwing");
    beside(
        flags,
        http -> {
          var reply = http.complete("{\"prompt\":[5,6,7],\"max_tokens\":74,\"ignore_eos\":true}");
          assertEquals(200, reply.status(), reply.text());
          assertEquals(74, reply.json().at("/usage/completion_tokens").asInt());
          assertFalse(reply.text().contains("fault"), reply.text());
        });
  }
}
