package dev.millrace.loadtest;

import io.gatling.app.Runner;
import io.gatling.commons.util.DefaultClock;
import io.gatling.core.actor.ActorSystem;
import io.gatling.core.cli.GatlingArgs;
import io.gatling.core.config.GatlingConfiguration;
import io.gatling.core.config.GatlingConfiguration$;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import scala.Console$;
import scala.Option;

/**
 * A Gatling run without its start-up talk: Gatling's own entry point asks Maven Central for its
 * newest release, notes the answer in the user's preferences, and prints to standard output.
 */
final class OfflineGatling extends Runner {
  private OfflineGatling(
      ActorSystem system,
      EventLoopGroup loops,
      GatlingArgs arguments,
      GatlingConfiguration configuration) {
    super(system, loops, new DefaultClock(), arguments, configuration);
  }

  /** Runs a simulation class to its end; what goes wrong is thrown. */
  static void run(Class<?> simulation, Path results) {
    var configuration = GatlingConfiguration$.MODULE$.load();
    var arguments =
        new GatlingArgs(
            Option.apply(simulation.getName()),
            Option.empty(),
            true,
            Option.empty(),
            Option.apply(results),
            Option.empty(),
            Option.empty());
    var system = new ActorSystem();
    var loops = new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
    try {
      var runner = new OfflineGatling(system, loops, arguments, configuration);
      Console$.MODULE$.withOut(OutputStream.nullOutputStream(), runner::run);
    } finally {
      system.close();
      loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }

  @Override
  public void displayVersionWarning() {
    // no network
  }
}
