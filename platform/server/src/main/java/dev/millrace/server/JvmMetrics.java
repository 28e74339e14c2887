package dev.millrace.server;

import dev.millrace.server.config.ServeConfiguration;
import io.dropwizard.core.ConfiguredBundle;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;

/**
 * Registers what is measured of the JVM when the port is open, on a thread of its own: to find it
 * all takes a tenth of a second, which nobody is to wait for.
 */
record JvmMetrics(Bootstrap<ServeConfiguration> bootstrap)
    implements ConfiguredBundle<ServeConfiguration> {
  @Override
  public void run(ServeConfiguration configuration, Environment environment) {
    environment
        .lifecycle()
        .addServerLifecycleListener(
            _ -> Thread.ofPlatform().daemon().name("metrics").start(bootstrap::registerMetrics));
  }
}
