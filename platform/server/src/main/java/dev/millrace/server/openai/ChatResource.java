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
import java.util.List;

/** {@code POST /v1/chat/completions}. */
@Path("/v1/chat/completions")
public final class ChatResource {
  private final Answering answering;

  public ChatResource(Answering answering) {
    this.answering = answering;
  }

  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  public Response create(InputStream body, @Context HttpServletRequest http) throws IOException {
    var model = ModelHolding.model(http);
    var fields = answering.read(body, model);
    var request = ChatRequest.read(fields, answering.limits(model), answering.seeds());
    var prompts = List.of(request.rendered(model.loaded()));
    var generation = request.generation();
    var format =
        new ChatFormat(
            Envelope.of("chatcmpl-", http, model.name()),
            new TokenText(model.loaded().tokenizer(), generation.stop().skipSpecialTokens()),
            generation.logprobs() >= 0,
            generation.promptLogprobs() >= 0);
    return answering.answer(model, generation, prompts, Integer.MAX_VALUE, format, http);
  }
}
