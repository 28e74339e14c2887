package dev.millrace.server.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.load.WeightFormat;
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
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code /admin/model}: the model in service, and another one in its place. */
@Path("/model")
@Produces(MediaType.APPLICATION_JSON)
public final class ModelResource {
  private final ModelSlot slot;
  private final ModelChanges changes;

  ModelResource(ModelSlot slot, ModelChanges changes) {
    this.slot = slot;
    this.changes = changes;
  }

  /**
   * The model in service.
   *
   * @param settings what it was opened with
   * @param weights the formats that its matrices are kept in
   * @param loading whether another one is being loaded
   * @param leaving models that still answer requests from before they were replaced
   * @param failure why it serves no more; null while it does
   */
  public record Model(
      List<String> names,
      String device,
      Map<String, Object> settings,
      List<WeightFormat> weights,
      boolean loading,
      List<ModelSlot.Leaving> leaving,
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String failure) {}

  @GET
  public Model current() {
    var model = slot.require();
    return new Model(
        model.names(),
        model.host().deviceName(),
        changes.settings().ofModel(),
        model.loaded().formats(),
        changes.loading(),
        slot.leaving(),
        slot.failure().map(InferenceException::getMessage).orElse(null));
  }

  /** Answers once the new model serves; keys that are not named stay as they are. */
  @PUT
  @Consumes(MediaType.APPLICATION_JSON)
  public Model replace(@Nullable ObjectNode wanted, @Context HttpServletRequest http) {
    if (wanted == null) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST,
          "expected settings of the model, such as {\"model\": \"DIR\"}");
    }
    Audit.asked(http, "serve a model with " + wanted);
    changes.open(changes.settings().with(wanted));
    return current();
  }
}
