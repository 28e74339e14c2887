package dev.millrace.server;

import dev.millrace.server.serving.ModelSlot;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** {@code GET /health}: 200 if a request would be served, else 503. */
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
        : Response.status(Response.Status.SERVICE_UNAVAILABLE)
            .entity("{\"status\":\"unavailable\"}")
            .build();
  }
}
