package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.server.Http;
import dev.millrace.server.Http.Reply;
import dev.millrace.server.TestServer;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorApiTest {
  private static final Http HTTP = TestServer.shared().http();

  private static void assertError(int status, String param, Reply reply) {
    assertEquals(status, reply.status(), reply.text());
    assertEquals("application/json", reply.header("Content-Type"));
    var error = reply.error();
    assertFalse(error.path("message").asText().isEmpty(), reply.text());
    assertFalse(error.path("type").asText().isEmpty(), reply.text());
    assertTrue(error.has("code"), reply.text());
    assertEquals(param, error.path("param").asText(""), reply.text());
    assertFalse(reply.text().contains("Exception"), reply.text());
  }

  @AfterEach
  void serverStillServes() {
    assertEquals(200, HTTP.get("/health").status());
    assertEquals(200, HTTP.complete("{\"prompt\":\"a\",\"max_tokens\":1}").status());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "temperature | -1",
        "temperature | \"hot\"",
        "top_p | 0",
        "top_p | 1.5",
        "top_k | -2",
        "min_p | 2",
        "presence_penalty | 3",
        "frequency_penalty | -3",
        "repetition_penalty | 0",
        "seed | 9223372036854775808",
        "seed | 1.5",
        "n | 0",
        "n | 129",
        "max_tokens | 0",
        "max_tokens | true",
        "max_tokens | 1e400",
        "min_tokens | 99",
        "stop | 5",
        "stop | [\"\"]",
        "stop_token_ids | 5",
        "stop_token_ids[0] | [512]",
        "logprobs | 21",
        "logprobs | -1",
        "logit_bias | {\"512\":1}",
        "logit_bias | {\"a\":1}",
        "logit_bias.3 | {\"3\":101}",
        "logit_bias | []",
        "stream | 1",
        "stream_options | {\"include_usage\":null}",
        "stream_options | {\"include_usage\":true}",
        "user | 5",
        "model | 5",
        "echo | 1",
        "suffix | \"x\"",
        "best_of | 2",
        "prompt_logprobs | -1",
        "prompt_logprobs | 21",
        "cache_salt | \"\"",
        "request_timeout | 0",
        "queue_timeout | \"1\"",
        "response_format | {\"type\":\"json_object\"}",
        "guided_choice | [\"a\"]",
        "prompt | []",
        "prompt | null",
        "prompt | 5",
        "prompt | {}",
        "prompt | \"\"",
        "prompt[0] | [512]",
        "prompt[0] | [-1]",
        "prompt[1] | [\"a\",null]",
        "prompt[0][1] | [[1,1.5]]",
      })
  void wrongFieldOfACompletionIsNamed(String param, String value) {
    var field = param.replaceAll("[\\[.].*", "");
    var prompt = field.equals("prompt") ? "" : "\"prompt\":\"a\",\"max_tokens\":9,";
    var body = "{" + (field.equals("max_tokens") ? "\"prompt\":\"a\"," : prompt);
    assertError(400, param, HTTP.complete(body + "\"" + field + "\":" + value + "}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "messages | null",
        "messages | \"hi\"",
        "messages | []",
        "messages[0] | [123]",
        "messages[0].role | [{}]",
        "messages[0].role | [{\"role\":123,\"content\":\"a\"}]",
        "messages[0].content | [{\"role\":\"user\"}]",
        "messages[0].content | [{\"role\":\"user\",\"content\":123}]",
        "messages[1].role | [{\"role\":\"user\",\"content\":\"a\"},{}]",
        "messages[0].content[0] | [{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
        "messages[0].content[0] | [{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]",
        "top_logprobs | 5",
        "top_logprobs | 21",
        "logprobs | 5",
        "tools | [{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]",
        "tool_choice | \"auto\"",
        "tool_choice | {}",
        "functions | [{\"name\":\"f\"}]",
        "modalities | [\"audio\"]",
        "response_format | {\"type\":\"json_schema\"}",
        "response_format | {\"type\":\"what\"}",
        "continue_final_message | true",
        "echo | true",
        "messages | [{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]",
        "chat_template_kwargs | 5",
        "documents | 5",
      })
  void wrongFieldOfAChatIsNamed(String param, String value) {
    var field = param.replaceAll("[\\[.].*", "");
    var body =
        field.equals("messages")
            ? "{"
            : "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"max_tokens\":9,"
                + "\"add_generation_prompt\":true,";
    assertError(400, param, HTTP.chat(body + "\"" + field + "\":" + value + "}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "x", "[]", "5", "\"a\"", "null", "{\"prompt\":", "{\"prompt\":\"a\"} {}"})
  void bodyMustBeAJsonObject(String body) {
    assertError(400, "", HTTP.complete(body));
    assertError(400, "", HTTP.chat(body));
  }

  @Test
  void unknownModelIsNotFound() {
    var reply = HTTP.complete("{\"model\":\"other\",\"prompt\":\"a\"}");
    assertError(404, "model", reply);
    assertEquals("model_not_found", reply.error().get("code").asText());
    assertError(404, "model", HTTP.get("/v1/models/other"));
  }

  @Test
  void whatDoesNotFitTheContextIsRefusedBeforeAnyChunk() {
    var longPrompt = "[" + "5,".repeat(4999) + "5]";
    for (var stream : new boolean[] {false, true}) {
      var reply = HTTP.complete("{\"prompt\":" + longPrompt + ",\"stream\":" + stream + "}");
      assertError(400, "", reply);
      assertEquals("context_length_exceeded", reply.error().get("code").asText());
      assertEquals("exceed_context_size_error", reply.error().get("type").asText());
      assertEquals(5000, reply.error().get("n_prompt_tokens").asInt());
      assertEquals(4096, reply.error().get("n_ctx").asInt());
    }
    assertError(400, "", HTTP.complete("{\"prompt\":\"a\",\"max_tokens\":4096}"));
  }

  @Test
  @Timeout(30)
  void fullQueueAsksToComeBack() throws Exception {
    var many = "{\"prompt\":[\"a\",\"b\",\"c\",\"d\"],\"max_tokens\":4000,\"ignore_eos\":true}";
    try (var server = TestServer.start(Map.of("max-queued-requests", "5", "max-num-seqs", "1"))) {
      var busy = Thread.ofVirtual().start(() -> server.http().complete(many));
      while (server
          .http()
          .get("/metrics")
          .text()
          .lines()
          .noneMatch(line -> line.matches("vllm:num_requests_waiting\\{.*} 3(\\.0)?"))) {
        Thread.sleep(5);
      }
      var reply = server.http().complete(many);
      assertError(429, "", reply);
      assertEquals("1", reply.header("Retry-After"));
      busy.interrupt();
    }
  }

  @Test
  void bodyThatIsNoTextIsRefused() throws Exception {
    byte[] body = {0, 0, 0, 0x7b, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff};
    try (var client = new Socket(InetAddress.getLoopbackAddress(), TestServer.shared().port())) {
      var head =
          """
          POST /v1/completions HTTP/1.1
          Host: x
          Connection: close
          Content-Type: application/json
          Content-Length: 8

          """
              .replace("\n", "\r\n");
      client.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      client.getOutputStream().write(body);
      var answer = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(answer.startsWith("HTTP/1.1 400"), answer);
    }
  }

  @Test
  void pathsMethodsAndTypesAreChecked() {
    assertError(404, "", HTTP.get("/v1/nothing"));
    assertError(404, "", HTTP.get("/"));
    assertError(405, "", HTTP.get("/v1/completions"));
    assertTrue(HTTP.get("/v1/completions").header("Allow").contains("POST"));
    assertError(405, "", HTTP.post("/v1/models", "{}"));
    assertError(415, "", HTTP.post("/v1/completions", "{}", "Content-Type", "text/plain"));
  }

  @Test
  void whatIsNotHttpGetsTheSameBody() {
    assertError(400, "", HTTP.get("/v1//models"));
    assertError(431, "", HTTP.get("/health", "X-Long", "a".repeat(20_000)));
  }

  @Test
  void moreLogprobsThanAllowedAreRefusedStreamedToo() {
    var asked = "{\"prompt\":\"a\",\"max_tokens\":2,\"logprobs\":21,\"stream\":true}";
    assertError(400, "logprobs", HTTP.complete(asked));
    var prompt = "{\"prompt\":\"a\",\"max_tokens\":2,\"prompt_logprobs\":1,\"stream\":true}";
    assertError(400, "prompt_logprobs", HTTP.complete(prompt));
  }

  @Test
  void seedOutsideSixtyFourBitsIsToldTheBound() {
    var reply = HTTP.complete("{\"prompt\":\"a\",\"seed\":9223372036854775808}");
    assertTrue(reply.error().get("message").asText().contains("9223372036854775807"));
  }

  @Test
  void timeLimitsAreKept() {
    var slow =
        "{\"prompt\":\"a\",\"max_tokens\":4000,\"ignore_eos\":true,\"request_timeout\":0.05,"
            + "\"stream\":%s}";
    var whole = HTTP.complete(slow.formatted(false));
    assertError(504, "", whole);
    assertEquals("timed_out", whole.error().get("code").asText());
    var streamed = HTTP.complete(slow.formatted(true));
    assertEquals(200, streamed.status());
    assertEquals("timed_out", streamed.chunks().getLast().at("/error/code").asText());
    assertEquals("[DONE]", streamed.data().getLast());
  }

  @Test
  void waitThatIsTooLongAsksToComeBack() throws Exception {
    var busy = "{\"prompt\":\"a\",\"max_tokens\":4000,\"ignore_eos\":true,\"stream\":true}";
    try (var server = TestServer.start(Map.of("max-num-seqs", "1", "request-timeout", "3"))) {
      var running = CompletableFuture.supplyAsync(() -> server.http().complete(busy));
      while (server.http().get("/load").json().get("server_load").asInt() < 1) {
        Thread.sleep(5);
      }
      var reply =
          server.http().complete("{\"prompt\":\"a\",\"max_tokens\":2,\"queue_timeout\":0.05}");
      assertError(503, "", reply);
      assertEquals("queue_timeout", reply.error().get("code").asText());
      assertEquals("1", reply.header("Retry-After"));
      var last = running.get().chunks().getLast();
      assertTrue(
          last.at("/error/code").asText().equals("timed_out")
              || last.at("/choices/0/finish_reason").asText().equals("length"),
          last.toString());
    }
  }

  @Test
  void longBodiesAreRefused() {
    try (var small = TestServer.start(Map.of("max-request-size", "1000B"))) {
      var prompt = "a".repeat(1000);
      assertError(413, "", small.http().complete("{\"prompt\":\"" + prompt + "\"}"));
    }
  }

  @Test
  void requestIdIsEchoedOrMade() {
    assertEquals("my-id", HTTP.get("/v1/models", "X-Request-Id", "my-id").header("X-Request-Id"));
    assertFalse(HTTP.get("/v1/nothing").header("X-Request-Id").isEmpty());
    assertFalse(HTTP.get("/health", "X-Request-Id", "a b").header("X-Request-Id").equals("a b"));
  }
}
