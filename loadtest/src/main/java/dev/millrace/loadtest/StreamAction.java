package dev.millrace.loadtest;

import com.typesafe.scalalogging.Logger;
import com.typesafe.scalalogging.Logger$;
import io.gatling.commons.stats.KO$;
import io.gatling.commons.stats.OK$;
import io.gatling.core.action.Action;
import io.gatling.core.session.Session;
import io.gatling.core.structure.ScenarioContext;
import io.gatling.javaapi.core.ActionBuilder;
import org.slf4j.LoggerFactory;
import scala.Option;

/**
 * The Gatling action that sends one call on a virtual thread of its own: Gatling's few event loops
 * must not wait for an answer. The user goes on when the answer is complete.
 */
record StreamAction(LoadRun run) implements ActionBuilder {
  @Override
  public io.gatling.core.action.builder.ActionBuilder asScala() {
    return (context, next) -> new Send(run, context, next);
  }

  private static final class Send implements Action {
    private final LoadRun run;
    private final ScenarioContext context;
    private final Action next;
    private final Logger logger = Logger$.MODULE$.apply(LoggerFactory.getLogger(Send.class));

    Send(LoadRun run, ScenarioContext context, Action next) {
      this.run = run;
      this.context = context;
      this.next = next;
    }

    @Override
    public String name() {
      return "completion";
    }

    @Override
    public void execute(Session session) {
      long free = System.nanoTime();
      Thread.ofVirtual().name("user-", session.userId()).start(() -> send(session, free));
    }

    private void send(Session session, long free) {
      var after = session;
      try {
        var outcome = run.sendNext(free);
        if (outcome != null) {
          report(session, outcome);
          after =
              outcome instanceof Outcome.Completed
                  ? session.markAsSucceeded()
                  : session.markAsFailed();
        }
      } finally {
        next.$bang(after);
      }
    }

    /** Gatling's own statistics know milliseconds; the figures we print come from histograms. */
    private void report(Session session, Outcome outcome) {
      long now = context.coreComponents().clock().nowMillis();
      long start = now - (outcome.ended() - outcome.scheduled()) / 1_000_000;
      var stats = context.coreComponents().statsEngine();
      switch (outcome) {
        case Outcome.Completed _ ->
            stats.logResponse(
                session.scenario(),
                session.groups(),
                name(),
                start,
                now,
                OK$.MODULE$,
                Option.empty(),
                Option.empty());
        case Outcome.Failed failed ->
            stats.logResponse(
                session.scenario(),
                session.groups(),
                name(),
                start,
                now,
                KO$.MODULE$,
                Option.apply(failed.kind().name()),
                Option.apply(failed.message()));
      }
    }

    @Override
    public Logger logger() {
      return logger;
    }

    /** Asked for by the Scala trait behind {@link Action}; the logger here is a final field. */
    @Override
    public void com$typesafe$scalalogging$StrictLogging$_setter_$logger_$eq(Logger ignored) {}
  }
}
