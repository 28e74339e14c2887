package dev.millrace.loadtest;

import static io.gatling.javaapi.core.CoreDsl.atOnceUsers;
import static io.gatling.javaapi.core.CoreDsl.exec;
import static io.gatling.javaapi.core.CoreDsl.scenario;

import io.gatling.javaapi.core.Simulation;
import java.util.Objects;

/**
 * The Gatling simulation of a {@link LoadPlan}: users that loop until the calls are used up, or one
 * user for each scheduled call, who waits for its time. Started through {@link LoadRunner}.
 */
public final class StreamSimulation extends Simulation {
  public StreamSimulation() {
    var run =
        Objects.requireNonNull(
            LoadRun.CURRENT.get(), "this simulation has no plan; start it through LoadRunner");
    var send = new StreamAction(run);
    var users =
        switch (run.plan().pace()) {
          case Pace.ClosedLoop(int count) ->
              scenario("closed loop")
                  .asLongAs(_ -> run.hasMore())
                  .on(exec(send))
                  .injectOpen(atOnceUsers(Math.min(count, run.plan().calls().size())));
          case Pace.OpenLoop(var arrivals) ->
              scenario("open loop").exec(send).injectOpen(atOnceUsers(arrivals.size()));
        };
    setUp(users);
  }
}
