package dev.millrace.server.admin;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.serving.ModelChanges;
import dev.millrace.server.serving.ModelSlot;
import io.dropwizard.core.setup.AdminEnvironment;
import io.dropwizard.jersey.DropwizardResourceConfig;
import io.dropwizard.jersey.jackson.JacksonFeature;
import org.glassfish.jersey.server.ServerProperties;
import org.glassfish.jersey.servlet.ServletContainer;

/** Puts {@code /admin} on the admin port. */
public final class AdminApi {
  private static final String PATH = "/admin/*";

  private AdminApi() {}

  /** Registers the resources before the server starts. */
  public static void install(
      AdminEnvironment admin, PluginCatalog plugins, ModelSlot slot, ModelChanges changes) {
    var mapper =
        new ObjectMapper()
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    var jersey =
        new DropwizardResourceConfig() // takes resources as instances without a warning
            .property(ServerProperties.WADL_FEATURE_DISABLE, true)
            .register(new JacksonFeature(mapper))
            .register(new AdminErrors())
            .register(new LocalOnly())
            .register(new PluginsResource(plugins))
            .register(new SchedulerResource(slot, changes))
            .register(new ModelResource(slot, changes));
    admin.addServlet("admin", new ServletContainer(jersey)).addMapping(PATH);
  }
}
