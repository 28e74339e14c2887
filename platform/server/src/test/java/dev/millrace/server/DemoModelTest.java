package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.device.cpu.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * The model that is served when none is named answers its evaluation as Hugging Face transformers
 * has it answer, so that the figures of its model card are those of this server, too.
 */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DemoModelTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Path FOLDER =
      Path.of(System.getProperty("millrace.root"), "platform/demo-model");
  private static final Path EVALUATION = FOLDER.resolve("evaluation");

  private TestServer server;

  @BeforeAll
  void start() {
    server = start(Map.of());
  }

  private static TestServer start(Map<String, Object> more) {
    var flags = new HashMap<String, Object>(more);
    flags.put("model", FOLDER.resolve("model").toString());
    flags.put("kv-cache-memory-bytes", "256MiB");
    return TestServer.start(flags);
  }

  @AfterAll
  void stop() {
    server.close();
  }

  @Test
  void weightsAreThoseThatWereEvaluated() throws IOException, NoSuchAlgorithmException {
    var weights = Files.readAllBytes(FOLDER.resolve("model/model.safetensors"));
    var hash = MessageDigest.getInstance("SHA-256").digest(weights);
    assertEquals(
        MAPPER.readTree(EVALUATION.resolve("results.json").toFile()).get("sha256").asText(),
        HexFormat.of().formatHex(hash));
  }

  @Test
  void everyTwentiethQuestionIsAnsweredAsTransformersDoes() throws Exception {
    compare(20);
  }

  @Test
  @Tag("conformance")
  void everyQuestionIsAnsweredAsTransformersDoes() throws Exception {
    compare(1);
  }

  /** With rounded activations, where they are the default. */
  @Test
  @Tag("conformance")
  void theDefaultKernelsChangeFewAnswers() throws Exception {
    requireFewOthers(Map.of("cpu-kernels", "auto"), 9); // 3 %
  }

  @Test
  @Tag("conformance")
  void weightsAndActivationsOf8BitsChangeFewAnswers() throws Exception {
    assumeTrue(NativeLibrary.get().multipliesBytes(), "AVX-512 VNNI");
    requireFewOthers(
        Map.of("cpu-kernels", "auto", "quantization", "int8", "quantized-activations", "int8"), 9);
  }

  private void requireFewOthers(Map<String, Object> flags, int most) throws Exception {
    var answers = lines("answers.jsonl");
    try (var other = start(flags)) {
      var ours = ask(other, 1);
      int others = 0;
      for (int i = 0; i < ours.size(); i++) {
        others += answers.get(i).get("answers").equals(ours.get(i).get()) ? 0 : 1;
      }
      assertTrue(others <= most, others + " of 300 answers are others");
    }
  }

  private void compare(int stride) throws Exception {
    var answers = lines("answers.jsonl");
    assertEquals(300, answers.size());
    var ours = ask(server, stride);
    for (int i = 0; i < ours.size(); i++) {
      assertEquals(answers.get(i * stride).get("answers"), ours.get(i).get());
    }
  }

  /** Asks all questions at once, or every so many. */
  private static List<CompletableFuture<ArrayNode>> ask(TestServer server, int stride)
      throws IOException {
    var questions = lines("questions.jsonl");
    assertEquals(300, questions.size());
    var ours = new ArrayList<CompletableFuture<ArrayNode>>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < questions.size(); i += stride) {
        var turns = questions.get(i).get("turns");
        ours.add(CompletableFuture.supplyAsync(() -> converse(server, turns), threads));
      }
    }
    return ours;
  }

  /** Every answer of a conversation, the ones in its middle included. */
  private static ArrayNode converse(TestServer server, JsonNode turns) {
    var answers = MAPPER.createArrayNode();
    var messages = MAPPER.createArrayNode();
    for (var turn : turns) {
      ObjectNode message = turn.deepCopy();
      if (message.get("content").isNull()) {
        var answer = answer(server, messages);
        answers.add(answer);
        message.put("content", answer);
      }
      messages.add(message);
    }
    return answers.add(answer(server, messages));
  }

  private static String answer(TestServer server, ArrayNode messages) {
    var body = MAPPER.createObjectNode().put("temperature", 0).put("max_tokens", 160);
    body.set("messages", messages.deepCopy());
    var reply = server.http().chat(body.toString());
    assertEquals(200, reply.status(), reply.text());
    return reply.json().at("/choices/0/message/content").asText();
  }

  private static List<JsonNode> lines(String file) throws IOException {
    var lines = new ArrayList<JsonNode>();
    for (var line : Files.readAllLines(EVALUATION.resolve(file))) {
      lines.add(MAPPER.readTree(line));
    }
    return lines;
  }
}
