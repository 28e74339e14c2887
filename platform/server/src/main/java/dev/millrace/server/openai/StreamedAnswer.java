package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.StreamEvent.Failed;
import dev.millrace.engine.StreamEvent.Finished;
import dev.millrace.engine.StreamEvent.Prompt;
import dev.millrace.engine.StreamEvent.Tokens;
import dev.millrace.engine.sample.SampledToken;
import dev.millrace.server.openai.Generation.StreamUsage;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers as server-sent events, a chunk for each event of the engine's that shows something. */
final class StreamedAnswer implements StreamingOutput {
  private static final Logger LOG = LoggerFactory.getLogger(StreamedAnswer.class);

  /** Proxies close what is silent for long. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** How far an answer has come. */
  private static final class Progress {
    final List<SampledToken> prompt;
    boolean opened;
    int tokens;
    int characters;

    Progress(List<SampledToken> prompt) {
      this.prompt = prompt;
    }
  }

  private final AnswerReader answers;
  private final Asked asked;
  private final AnswerFormat format;
  private final Progress[] progress;
  private Answers.@Nullable Event first;

  /**
   * @param first the event that was waited for before the response began; null if it took too long
   */
  StreamedAnswer(AnswerReader answers, Asked asked, Answers.@Nullable Event first) {
    this.answers = answers;
    this.asked = asked;
    this.format = asked.format();
    this.first = first;
    progress = new Progress[answers.size()];
    for (int i = 0; i < progress.length; i++) {
      progress[i] = new Progress(asked.promptSoFar(i));
    }
  }

  @Override
  public void write(OutputStream out) {
    try (answers) {
      stream(new SseWriter(out));
    } catch (IOException _) {
      LOG.debug("a client left its stream");
    }
  }

  private void stream(SseWriter sse) throws IOException {
    try {
      for (int open = answers.size(); open > 0; ) {
        var event = next(sse);
        switch (event.event()) {
          case Prompt prompt -> progress[event.index()].prompt.addAll(prompt.tokens());
          case Tokens tokens -> tokens(sse, event.index(), tokens);
          case Finished end -> {
            open(sse, event.index());
            asked.usage().finished(event.index(), end.usage(), progress[event.index()].tokens);
            chunk(sse, format.closing(event.index(), asked.reason(end.reason())));
            open--;
          }
          case Failed failed -> throw failed.error();
        }
      }
      if (asked.generation().usage() != StreamUsage.NONE) {
        var last = format.envelope(true, JSON.arrayNode());
        last.set("usage", asked.usage().json());
        sse.event(last);
      }
      sse.done();
    } catch (InferenceException e) {
      if (e.code() != ErrorCode.CANCELLED) { // else nobody is there to be told
        fail(sse, ApiError.of(e));
      }
    } catch (RuntimeException e) {
      LOG.error("a stream failed", e);
      fail(sse, ApiError.internal());
    }
  }

  private static void fail(SseWriter sse, ApiError error) throws IOException {
    sse.event(error.json());
    sse.done();
  }

  private Answers.Event next(SseWriter sse) throws IOException {
    var event = first;
    first = null;
    while (event == null) {
      event = answers.next(SILENCE);
      if (event == null) {
        sse.keepAlive();
      }
    }
    return event;
  }

  private void tokens(SseWriter sse, int index, Tokens event) throws IOException {
    open(sse, index);
    if (asked.promptOnly()) {
      return;
    }
    var answer = progress[index];
    answer.tokens += event.tokens().size();
    asked.usage().running(event.tokens().size());
    boolean shown = asked.generation().logprobs() >= 0 && !event.tokens().isEmpty();
    if (!event.text().isEmpty() || shown) {
      chunk(sse, format.piece(index, event.text(), event.tokens(), answer.characters));
    }
    if (shown) {
      answer.characters += format.characters(event.tokens());
    }
  }

  private void open(SseWriter sse, int index) throws IOException {
    if (!progress[index].opened) {
      progress[index].opened = true;
      var opening = format.opening(index, progress[index].prompt);
      progress[index].characters = format.openingCharacters(index);
      if (opening != null) {
        chunk(sse, opening);
      }
    }
  }

  private void chunk(SseWriter sse, ObjectNode choice) throws IOException {
    ArrayNode choices = JSON.arrayNode().add(choice);
    var chunk = format.envelope(true, choices);
    switch (asked.generation().usage()) {
      case NONE -> {}
      case AT_END -> chunk.putNull("usage");
      case ALWAYS -> chunk.set("usage", asked.usage().json());
    }
    sse.event(chunk);
  }
}
