package dev.millrace.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.server.serving.ModelSlot;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Locale;

/**
 * {@code GET /health}: 200 if a request would be served, else 503; says why if none will be until a
 * model is loaded or the process is started anew.
 */
@Path("/health")
@Produces(MediaType.APPLICATION_JSON)
public final class HealthResource {
  private final ModelSlot slot;

  HealthResource(ModelSlot slot) {
    this.slot = slot;
  }

  @GET
  public Response health() {
    return slot.serves()
        ? Response.ok("{\"status\":\"ok\"}").build()
        : Response.status(Response.Status.SERVICE_UNAVAILABLE).entity(trouble().toString()).build();
  }

  private ObjectNode trouble() {
    var json = JsonNodeFactory.instance.objectNode();
    var failure = slot.failure();
    json.put("status", failure.isPresent() ? "failed" : "unavailable");
    failure.ifPresent(error ->
        json.put("error", error.code().name().toLowerCase(Locale.ROOT))
            .put("message", error.getMessage()));
    return json;
  }
}
