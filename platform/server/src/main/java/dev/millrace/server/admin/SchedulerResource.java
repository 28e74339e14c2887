package dev.millrace.server.admin;

import dev.millrace.server.config.Keys;
import dev.millrace.server.serving.ModelChanges;
import dev.millrace.server.serving.ModelSlot;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code /admin/scheduler}: which scheduler plans, and another one in its place. */
@Path("/scheduler")
@Produces(MediaType.APPLICATION_JSON)
public final class SchedulerResource {
  private final ModelSlot slot;
  private final ModelChanges changes;

  SchedulerResource(ModelSlot slot, ModelChanges changes) {
    this.slot = slot;
    this.changes = changes;
  }

  /**
   * The scheduler that is asked for plans.
   *
   * @param deposed why the engine plans for itself instead; null while the scheduler is in charge
   */
  public record Scheduler(
      String name, Map<String, String> settings, @Nullable String deposed, long refusedPlans) {}

  /** A request for another scheduler; without settings it gets those of the configuration. */
  public record SwitchRequest(@Nullable String name, @Nullable Map<String, String> settings) {}

  @GET
  public Scheduler current() {
    var stats = slot.require().engine().stats();
    var all = changes.settings().get(Keys.SCHEDULER_SETTINGS);
    return new Scheduler(
        stats.scheduler(),
        all.getOrDefault(stats.scheduler(), Map.of()),
        stats.deposed(),
        stats.refusedPlans());
  }

  @PUT
  @Consumes(MediaType.APPLICATION_JSON)
  public Scheduler change(@Nullable SwitchRequest request, @Context HttpServletRequest http) {
    if (request == null || request.name() == null) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "expected {\"name\": \"SCHEDULER\", \"settings\": {}}");
    }
    var settings = request.settings() == null ? Map.<String, String>of() : request.settings();
    Audit.asked(http, "have " + request.name() + " schedule, with " + settings);
    changes.schedule(request.name(), settings);
    return current();
  }
}
