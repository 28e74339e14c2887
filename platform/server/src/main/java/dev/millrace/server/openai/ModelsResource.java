package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.server.serving.ModelSlot;
import dev.millrace.server.serving.ServedModel;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

/** {@code GET /v1/models} and {@code GET /v1/models/NAME}. */
@Path("/v1/models")
@Produces(MediaType.APPLICATION_JSON)
public final class ModelsResource {
  private final ModelSlot slot;
  private final long since = System.currentTimeMillis() / 1000;

  public ModelsResource(ModelSlot slot) {
    this.slot = slot;
  }

  @GET
  public String list() {
    var model = slot.require();
    var json = JsonNodeFactory.instance.objectNode().put("object", "list");
    var data = json.putArray("data");
    model.names().forEach(name -> data.add(describe(name, model)));
    return json.toString();
  }

  /** Names may have slashes in them. */
  @GET
  @Path("{name: .+}")
  public String one(@PathParam("name") String name) {
    var model = slot.require();
    Answering.requireName(model, name);
    return describe(name, model).toString();
  }

  private ObjectNode describe(String name, ServedModel model) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("id", name)
        .put("object", "model")
        .put("created", since)
        .put("owned_by", "millrace")
        .put("root", model.name())
        .putNull("parent")
        .put("max_model_len", model.maxModelLen());
  }
}
