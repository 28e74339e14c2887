package dev.millrace.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionCreateParams;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** OpenAI's own client for Java. */
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OpenAiJavaTest {
  private static final Executor THREADS = task -> Thread.ofVirtual().start(task);

  private ServerProcess server;
  private OpenAIClient client;

  @BeforeAll
  void start() throws IOException {
    server =
        ServerProcess.start(
            "--api-key", "secret", "--max-num-seqs", "1", "--max-queued-requests", "2");
    client = client("secret");
  }

  @AfterAll
  void stop() {
    client.close();
    server.close();
  }

  private OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder()
        .baseUrl(server.url() + "/v1")
        .apiKey(key)
        .maxRetries(0)
        .build();
  }

  @SuppressWarnings("deprecation") // the seed, which is served all the same
  private static ChatCompletionCreateParams.Builder chat() {
    return ChatCompletionCreateParams.builder()
        .model("demo")
        .addSystemMessage("Be short.")
        .addUserMessage("Hello")
        .temperature(1.0)
        .seed(7)
        .maxCompletionTokens(8);
  }

  private static String text(ChatCompletion answer, int index) {
    return answer.choices().get(index).message().content().orElseThrow();
  }

  @Test
  void chatAnswersInTheFormTheClientValidates() {
    var answer =
        client.chat().completions().create(chat().n(2).logprobs(true).topLogprobs(2).build());
    answer.validate();
    assertEquals(2, answer.choices().size());
    assertFalse(text(answer, 0).isEmpty());
    var tokens = answer.choices().get(0).logprobs().orElseThrow().content().orElseThrow();
    assertEquals(2, tokens.getFirst().topLogprobs().size());
    assertTrue(answer.usage().orElseThrow().completionTokens() <= 16);
    var again = client.chat().completions().create(chat().n(2).build());
    assertEquals(text(answer, 0), text(again, 0), "the seed decides");
  }

  @Test
  void streamIsTheWholeAnswerInPiecesAndEndsWithItsUsage() {
    var whole = client.chat().completions().create(chat().build());
    var options = ChatCompletionStreamOptions.builder().includeUsage(true).build();
    List<ChatCompletionChunk> chunks;
    try (var stream =
        client.chat().completions().createStreaming(chat().streamOptions(options).build())) {
      chunks = stream.stream().map(ChatCompletionChunk::validate).toList();
    }
    var text =
        chunks.stream()
            .flatMap(chunk -> chunk.choices().stream())
            .map(choice -> choice.delta().content().orElse(""))
            .collect(Collectors.joining());
    assertEquals(text(whole, 0), text);
    assertEquals(
        whole.usage().orElseThrow().completionTokens(),
        chunks.getLast().usage().orElseThrow().completionTokens());
  }

  @Test
  void stopEndsTheAnswerBeforeIt() {
    var free = text(client.chat().completions().create(chat().build()), 0);
    var stop = free.substring(free.length() / 2);
    var stopped = client.chat().completions().create(chat().stop(stop).build());
    assertEquals(free.substring(0, free.indexOf(stop)), text(stopped, 0));
    assertEquals("stop", stopped.choices().getFirst().finishReason().asString());
  }

  @Test
  void completionsAnswerWholeAndStreamed() {
    var params =
        CompletionCreateParams.builder()
            .model("demo")
            .prompt("a")
            .maxTokens(5)
            .temperature(0.0)
            .logprobs(2);
    var whole = client.completions().create(params.build()).validate();
    assertFalse(whole.choices().getFirst().logprobs().isEmpty());
    try (var stream = client.completions().createStreaming(params.build())) {
      var text =
          stream.stream()
              // not validated: it wants a finish_reason in every chunk, which OpenAI sends as null
              .flatMap(chunk -> chunk.choices().stream())
              .map(choice -> choice.text())
              .collect(Collectors.joining());
      assertEquals(whole.choices().getFirst().text(), text);
    }
  }

  @Test
  void modelsAreListedAndDescribed() {
    assertEquals("demo", client.models().list().data().getFirst().validate().id());
    assertEquals("demo", client.models().retrieve("demo").validate().id());
  }

  @Test
  void errorsAreTheClientsOwn() {
    var chats = client.chat().completions();
    var unknown = chat().model("other").build();
    assertEquals(
        "model_not_found",
        assertThrows(NotFoundException.class, () -> chats.create(unknown)).code().orElseThrow());
    assertThrows(BadRequestException.class, () -> chats.create(chat().topP(2.0).build()));
    var stranger = client("wrong");
    assertThrows(UnauthorizedException.class, () -> stranger.models().retrieve("demo"));
    stranger.close();
  }

  @Test
  void fullQueueIsARateLimit() {
    var endless =
        chat()
            .n(2)
            .maxCompletionTokens(600)
            .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
            .build();
    var chats = client.chat().completions();
    // one pair runs, one waits, and there is no room for a third
    var pairs =
        Stream.generate(() -> CompletableFuture.supplyAsync(() -> chats.create(endless), THREADS))
            .limit(6)
            .toList();
    var refused =
        pairs.stream().filter(pair -> pair.handle((_, e) -> isRateLimit(e)).join()).count();
    assertTrue(refused > 0 && refused < pairs.size(), refused + " of " + pairs.size());
  }

  private static boolean isRateLimit(@Nullable Throwable thrown) {
    return thrown != null && thrown.getCause() instanceof RateLimitException;
  }
}
