package dev.millrace.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.millrace.server.serving.ModelSlot;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/**
 * {@code GET /ready}: 200 if a request would be served, else 503; names the scheduler, and says so
 * if the engine had to take its place, or if the model is lost.
 */
@Path("/ready")
@Produces(MediaType.APPLICATION_JSON)
public final class ReadyResource {
  private final ModelSlot slot;

  ReadyResource(ModelSlot slot) {
    this.slot = slot;
  }

  @GET
  public Response ready() {
    boolean serves = slot.serves();
    var json = JsonNodeFactory.instance.objectNode();
    var failure = slot.failure();
    json.put("status", serves ? "ready" : failure.isPresent() ? "failed" : "unavailable");
    failure.ifPresent(error -> json.put("failure", error.getMessage()));
    slot.stats()
        .ifPresent(stats -> {
          json.put("scheduler", stats.scheduler());
          if (stats.deposed() != null) {
            json.put("deposed", stats.deposed());
          }
        });
    return Response.status(serves ? Response.Status.OK : Response.Status.SERVICE_UNAVAILABLE)
        .entity(json.toString())
        .build();
  }
}
