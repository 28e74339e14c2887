package dev.millrace.server;

import ch.qos.logback.classic.Level;
import dev.millrace.server.bench.BenchCommand;
import dev.millrace.server.config.ConfigurationProblems;
import dev.millrace.server.config.ServeConfiguration;
import dev.millrace.server.models.LoggedPull;
import dev.millrace.server.models.ModelFinder;
import dev.millrace.server.models.ModelsCommand;
import dev.millrace.server.models.PlainPull;
import dev.millrace.server.models.ProgressBar;
import dev.millrace.server.quality.QualityCommand;
import dev.millrace.server.quantize.QuantizeCommand;
import dev.millrace.server.quantize.QuantizeProgress;
import dev.millrace.spi.InferenceException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import net.sourceforge.argparse4j.ArgumentParsers;
import net.sourceforge.argparse4j.helper.HelpScreenException;
import net.sourceforge.argparse4j.inf.ArgumentParserException;
import net.sourceforge.argparse4j.inf.Namespace;

/**
 * The command line. Exit codes: 1 if the command failed, 2 if it was called wrongly, 75 if the
 * device is lost and a new process may fare better, 78 if its configuration is wrong.
 */
public final class Main {
  private static final int FAILED = 1;
  private static final int USAGE = 2;
  private static final int CONFIGURATION = 78;

  private Main() {}

  public static void main(String[] arguments) {
    var out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    var err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    var serving = onTerminal() ? new ProgressBar(err) : new LoggedPull();
    var app = new ServeApplication(new EngineOpener(new ModelFinder(serving)));
    int code = run(arguments, app, out, err);
    if (code != 0) {
      System.exit(code);
    }
  }

  /** Whether somebody watches, and wants to see bars. */
  @SuppressWarnings("SystemConsoleNull") // as before JDK 22, it is null again from JDK 25 on
  private static boolean onTerminal() {
    var console = System.console();
    return console != null
        && console.isTerminal()
        && !"dumb".equals(System.getenv("TERM"))
        && !"1".equals(System.getenv("HF_HUB_DISABLE_PROGRESS_BARS"));
  }

  /** Runs one command; the server goes on after this has returned 0. */
  static int run(String[] arguments, ServeApplication app, PrintWriter out, PrintWriter err) {
    QuietLogger.limit("ai.djl", Level.ERROR); // it warns of a missing GPU
    var pulls = onTerminal() ? new ProgressBar(err) : new PlainPull(err);
    var commands =
        List.of(
            new ServeCommand(app),
            new ModelsCommand(out, pulls),
            new BenchCommand(out, Home.path(""), new ModelFinder(pulls)),
            new QuantizeCommand(
                out,
                new QuantizeProgress(err, onTerminal()),
                Home.path(""),
                new ModelFinder(pulls)),
            new QualityCommand(
                out,
                Home.path(""),
                Path.of(System.getProperty("millrace.root", ".")),
                new ModelFinder(pulls)));
    var parser =
        ArgumentParsers.newFor("millrace")
            .terminalWidthDetection(false)
            .build()
            .description("Serves language models over the OpenAI API.");
    var subparsers = parser.addSubparsers().title("commands").metavar("COMMAND").dest("command");
    for (var command : commands) {
      command.configure(
          subparsers
              .addParser(command.getName())
              .help(command.getDescription())
              .description(command.getDescription())
              .setDefault("run", command));
    }
    Namespace namespace;
    try {
      namespace = parser.parseArgs(arguments);
    } catch (HelpScreenException _) {
      return 0;
    } catch (ArgumentParserException e) {
      e.getParser().handleError(e, err);
      return USAGE;
    }
    var bootstrap = new Bootstrap<ServeConfiguration>(app);
    app.initialize(bootstrap);
    try {
      namespace.<Command>get("run").run(bootstrap, namespace);
      return 0;
    } catch (ConfigurationProblems e) {
      err.println("millrace: the configuration is wrong");
      e.getErrors().forEach(line -> err.println("  " + line));
      return CONFIGURATION;
    } catch (InferenceException e) {
      err.println("millrace: " + e.code() + ": " + e.getMessage());
      return FAILED;
    } catch (Exception e) {
      err.println("millrace: " + reason(e));
      return FAILED;
    }
  }

  /** The innermost message says it best: a port in use is wrapped three times. */
  private static String reason(Throwable e) {
    return e.getCause() != null ? reason(e.getCause()) : e.toString();
  }
}
