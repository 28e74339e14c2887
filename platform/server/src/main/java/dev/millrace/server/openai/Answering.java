package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.Logprobs;
import dev.millrace.engine.StreamEvent.Failed;
import dev.millrace.server.serving.ModelSlot;
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

  private final ModelSlot slot;
  private final Seeds seeds;
  private final long maxRequestBytes;
  private final int maxLogprobs;

  public Answering(ModelSlot slot, Seeds seeds, long maxRequestBytes, int maxLogprobs) {
    this.slot = slot;
    this.seeds = seeds;
    this.maxRequestBytes = maxRequestBytes;
    this.maxLogprobs = maxLogprobs;
  }

  ServedModel model() {
    return slot.require();
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
   * Submits n requests for each prompt and answers when the first of them says something.
   *
   * @param longest tokens of an answer where the request names no number
   */
  Response answer(
      ServedModel model,
      Generation generation,
      List<int[]> prompts,
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
      var prompt = prompts.get(p);
      int maxTokens = limits(model).maxTokens(generation.maxTokens(), prompt.length, longest);
      for (int k = 0; k < generation.n(); k++) {
        requests.add(
            new GenerationRequest(
                format.envelope().id() + "-" + requests.size(),
                prompt,
                maxTokens,
                generation.sampling(p, k),
                generation.stop(),
                Logprobs.ofAnswer(generation.logprobs()),
                generation.terms()));
      }
    }
    int promptTokens = prompts.stream().mapToInt(prompt -> prompt.length).sum();
    var usage = new UsageCount(promptTokens, generation.n());
    var answers = new AnswerReader(Answers.submit(model.engine(), requests), ClientWatch.of(http));
    return generation.stream()
        ? streamed(answers, format, generation, usage)
        : whole(answers, format, usage);
  }

  private static Response whole(AnswerReader answers, AnswerFormat format, UsageCount usage) {
    try (answers) {
      byte[] body = MAPPER.writeValueAsBytes(WholeAnswer.collect(answers, format, usage));
      return Response.ok(body, MediaType.APPLICATION_JSON_TYPE)
          .header(HttpHeaders.CONTENT_LENGTH, body.length)
          .build();
    } catch (IOException e) {
      throw new IllegalStateException("a tree that cannot be written", e);
    }
  }

  private static Response streamed(
      AnswerReader answers, AnswerFormat format, Generation generation, UsageCount usage) {
    boolean handedOn = false;
    try {
      var first = answers.next(FIRST_EVENT);
      if (first != null && first.event() instanceof Failed(var error)) {
        throw error;
      }
      var body = new StreamedAnswer(answers, format, generation, usage, first);
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
