package dev.millrace.server.openai;

import dev.millrace.server.serving.ModelHolding;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;
import java.util.List;

/** {@code POST /v1/completions}. */
@Path("/v1/completions")
public final class CompletionResource {
  /** What OpenAI gives to a request that names no length. */
  private static final int USUAL_TOKENS = 16;

  private final Answering answering;

  public CompletionResource(Answering answering) {
    this.answering = answering;
  }

  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  public Response create(InputStream body, @Context HttpServletRequest http) throws IOException {
    var model = ModelHolding.model(http);
    var fields = answering.read(body, model);
    var request =
        CompletionRequest.read(
            fields, answering.limits(model), answering.seeds(), model.loaded().tokenizer());
    var generation = request.generation();
    var format =
        new CompletionFormat(
            Envelope.of("cmpl-", http, model.name()),
            new TokenText(model.loaded().tokenizer(), generation.stop().skipSpecialTokens()),
            generation.logprobs() >= 0,
            fields.find("prompt_logprobs") != null,
            echoes(request));
    return answering.answer(model, generation, request.prompts(), USUAL_TOKENS, format, http);
  }

  private static List<String> echoes(CompletionRequest request) {
    int n = request.generation().n();
    return request.prompts().stream()
        .filter(_ -> request.echo())
        .flatMap(prompt -> Collections.nCopies(n, prompt.text()).stream())
        .toList();
  }
}
