package dev.millrace.server;

import dev.millrace.engine.EngineStats;
import dev.millrace.server.serving.ModelSlot;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

/** {@code GET /load}: how many answers are being made or waited for, as balancers ask vLLM. */
@Path("/load")
@Produces(MediaType.APPLICATION_JSON)
public final class LoadResource {
  private final ModelSlot slot;

  LoadResource(ModelSlot slot) {
    this.slot = slot;
  }

  @GET
  public String load() {
    return "{\"server_load\":%d}".formatted(slot.stats().map(LoadResource::answers).orElse(0));
  }

  private static int answers(EngineStats stats) {
    return stats.running() + stats.waiting();
  }
}
