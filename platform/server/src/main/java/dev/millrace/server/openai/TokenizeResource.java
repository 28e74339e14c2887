package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.millrace.server.serving.ModelHolding;
import dev.millrace.server.serving.ServedModel;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.util.stream.IntStream;

/**
 * What the model reads, without running it: {@code POST /tokenize} and {@code /detokenize} as in
 * vLLM, and {@code /v1/chat/completions/render}, which shows a chat as its template writes it.
 */
@Path("/")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public final class TokenizeResource {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final Answering answering;

  public TokenizeResource(Answering answering) {
    this.answering = answering;
  }

  /** Tokens of a {@code prompt}, or of a chat's {@code messages}. */
  @POST
  @Path("tokenize")
  public String tokenize(InputStream body, @Context HttpServletRequest http) throws IOException {
    var model = ModelHolding.model(http);
    var fields = answering.read(body, model);
    int[] ids = ids(fields, model);
    var json = JSON.objectNode().put("count", ids.length).put("max_model_len", model.maxModelLen());
    json.set("tokens", array(ids));
    if (fields.flag("return_token_strs", false)) {
      var texts = json.putArray("token_strs");
      IntStream.of(ids).forEach(id -> texts.add(model.loaded().tokenizer().token(id)));
    } else {
      json.putNull("token_strs");
    }
    return json.toString();
  }

  private int[] ids(JsonFields fields, ServedModel model) {
    if (fields.has("messages")) {
      return rendered(fields, model).ids();
    }
    var prompt = fields.text("prompt");
    if (prompt == null) {
      throw ApiException.field("prompt", "expected a string, or messages beside it");
    }
    return model.loaded().tokenizer().encode(prompt, fields.flag("add_special_tokens", true));
  }

  /** The text of {@code tokens}. */
  @POST
  @Path("detokenize")
  public String detokenize(InputStream body, @Context HttpServletRequest http) throws IOException {
    var model = ModelHolding.model(http);
    var fields = answering.read(body, model);
    int last = model.loaded().spec().vocabulary() - 1;
    int[] ids = fields.wholes("tokens", 0, last).stream().mapToInt(Integer::intValue).toArray();
    if (ids.length == 0 && fields.find("tokens") == null) {
      throw ApiException.field("tokens", "expected a list of token ids");
    }
    return JSON.objectNode()
        .put("prompt", model.loaded().tokenizer().decode(ids, false))
        .toString();
  }

  /** The prompt that a chat becomes, as text and as tokens. */
  @POST
  @Path("v1/chat/completions/render")
  public String render(InputStream body, @Context HttpServletRequest http) throws IOException {
    var model = ModelHolding.model(http);
    var prompt = rendered(answering.read(body, model), model);
    var json = JSON.objectNode().put("prompt", prompt.text());
    json.set("token_ids", array(prompt.ids()));
    return json.toString();
  }

  private Prompt rendered(JsonFields fields, ServedModel model) {
    return ChatRequest.read(fields, answering.limits(model), answering.seeds())
        .rendered(model.loaded());
  }

  private static ArrayNode array(int[] ids) {
    var array = JSON.arrayNode(ids.length);
    IntStream.of(ids).forEach(array::add);
    return array;
  }
}
