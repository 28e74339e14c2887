package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.Logprobs;
import dev.millrace.engine.StreamEvent.Failed;
import dev.millrace.server.serving.ServedModel;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What chat and completions do alike: check the model's name, submit, answer. */
public final class Answering {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** An error that comes sooner than this after submission still gets a status of its own. */
  private static final Duration FIRST_EVENT = Duration.ofSeconds(10);

  private final Seeds seeds;
  private final long maxRequestBytes;
  private final int maxLogprobs;
  private final Timeouts timeouts;

  public Answering(Seeds seeds, long maxRequestBytes, int maxLogprobs, Timeouts timeouts) {
    this.seeds = seeds;
    this.maxRequestBytes = maxRequestBytes;
    this.maxLogprobs = maxLogprobs;
    this.timeouts = timeouts;
  }

  Seeds seeds() {
    return seeds;
  }

  ModelLimits limits(ServedModel model) {
    return ModelLimits.of(model, maxLogprobs);
  }

  /** Reads the body and checks which model it wants; a body that names none wants ours. */
  JsonFields read(InputStream body, ServedModel model) throws IOException {
    var fields = JsonFields.read(body, maxRequestBytes);
    var asked = fields.text("model");
    if (asked != null) {
      requireName(model, asked);
    }
    return fields;
  }

  static void requireName(ServedModel model, String asked) {
    if (!model.names().contains(asked)) {
      throw new InferenceException(
          ErrorCode.UNKNOWN_MODEL,
          "the model \"%s\" is not served; served is %s"
              .formatted(asked, String.join(", ", model.names())));
    }
  }

  /**
   * Submits n answers to each prompt and answers when the first of them says something.
   *
   * @param longest tokens of an answer where the request names no number
   */
  Response answer(
      ServedModel model,
      Generation generation,
      List<Prompt> prompts,
      int longest,
      AnswerFormat format,
      HttpServletRequest http) {
    int most = model.host().settings().maxQueuedRequests();
    if ((long) prompts.size() * generation.n() > most) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST,
          "%d prompts with n %d are more sequences than the server ever queues, %d"
              .formatted(prompts.size(), generation.n(), most));
    }
    var requests = new ArrayList<GenerationRequest>();
    for (int p = 0; p < prompts.size(); p++) {
      int[] ids = prompts.get(p).ids();
      requests.add(
          new GenerationRequest(
              format.envelope().id() + "-" + p,
              ids,
              limits(model).maxTokens(generation.maxTokens(), ids.length, longest),
              generation.sampling(p),
              generation.stop(),
              new Logprobs(generation.logprobs(), generation.promptLogprobs()),
              timeouts.limit(generation.terms())));
    }
    int promptTokens = prompts.stream().mapToInt(prompt -> prompt.ids().length).sum();
    var usage = new UsageCount(promptTokens, generation.n(), generation.promptOnly());
    var asked = new Asked(prompts, generation, format, usage);
    var submitted = Answers.submit(model.engine(), requests, generation.n());
    var answers = new AnswerReader(submitted, ClientWatch.of(http));
    return generation.stream() ? streamed(answers, asked) : whole(answers, asked);
  }

  private static Response whole(AnswerReader answers, Asked asked) {
    try (answers) {
      byte[] body = MAPPER.writeValueAsBytes(WholeAnswer.collect(answers, asked));
      return Response.ok(body, MediaType.APPLICATION_JSON_TYPE)
          .header(HttpHeaders.CONTENT_LENGTH, body.length)
          .build();
    } catch (IOException e) {
      throw new IllegalStateException("a tree that cannot be written", e);
    }
  }

  private static Response streamed(AnswerReader answers, Asked asked) {
    boolean handedOn = false;
    try {
      var first = answers.next(FIRST_EVENT);
      if (first != null && first.event() instanceof Failed(var error)) {
        throw error;
      }
      var body = new StreamedAnswer(answers, asked, first);
      handedOn = true;
      return Response.ok(body, MediaType.SERVER_SENT_EVENTS)
          .header(HttpHeaders.CACHE_CONTROL, "no-store")
          .header("X-Accel-Buffering", "no") // nginx would collect the events
          .build();
    } finally {
      if (!handedOn) {
        answers.close();
      }
    }
  }
}
