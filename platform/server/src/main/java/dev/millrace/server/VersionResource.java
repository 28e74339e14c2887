package dev.millrace.server;

import dev.millrace.server.serving.Version;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

/** {@code GET /version}. */
@Path("/version")
@Produces(MediaType.APPLICATION_JSON)
public final class VersionResource {
  @GET
  public String version() {
    return "{\"version\":\"" + Version.TEXT + "\"}";
  }
}
