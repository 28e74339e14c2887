package dev.millrace.server.admin;

import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.engine.plugin.PluginInfo;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code /admin/plugins}: lists, loads and unloads plugin jars. */
@Path("/plugins")
@Produces(MediaType.APPLICATION_JSON)
public final class PluginsResource {
  private final PluginCatalog plugins;

  PluginsResource(PluginCatalog plugins) {
    this.plugins = plugins;
  }

  /** What is loaded, and the file names of all jars in the folder. */
  public record Plugins(List<PluginInfo> plugins, List<String> jars) {}

  /** A request to load a jar of the folder. */
  public record LoadRequest(@Nullable String jar) {}

  @GET
  public Plugins list() {
    return new Plugins(plugins.plugins(), plugins.jars());
  }

  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  public Response load(@Nullable LoadRequest request, @Context HttpServletRequest http) {
    if (request == null || request.jar() == null) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "expected {\"jar\": \"NAME.jar\"}, a file of the folder");
    }
    Audit.asked(http, "load " + request.jar());
    var plugin = plugins.load(request.jar());
    return Response.status(Response.Status.CREATED).entity(plugin).build();
  }

  /** Unloads the only version that is loaded, or the one that is named. */
  @DELETE
  @Path("{id}")
  public void unload(
      @PathParam("id") String id,
      @QueryParam("version") @Nullable String version,
      @Context HttpServletRequest http) {
    Audit.asked(http, "unload " + id + (version == null ? "" : " " + version));
    plugins.unload(id, version);
  }
}
