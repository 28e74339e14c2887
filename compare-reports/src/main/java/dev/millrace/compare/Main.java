package dev.millrace.compare;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;

/**
 * Entry point of {@code millrace compare}. Exit status: that of the {@link Verdict}; 1 when the
 * comparison could not be made, 2 for a wrong command line.
 */
public final class Main {
  private Main() {}

  /** Flags of serve that compare sets itself. */
  private static final Set<String> OURS =
      Set.of("--scheduler", "--max-num-seqs", "--host", "--port", "--admin-port", "--model");

  public static void main(String[] arguments) {
    var out = new PrintWriter(System.out, true, System.out.charset());
    var errors = new PrintWriter(System.err, true, System.err.charset());
    System.exit(run(out, errors, arguments));
  }

  /** All but the exit, for tests. What stands after {@code --} goes to {@code serve} untouched. */
  static int run(PrintWriter out, PrintWriter errors, String... arguments) {
    var all = List.of(arguments);
    int border = all.indexOf("--");
    var forServe = border < 0 ? List.<String>of() : all.subList(border + 1, all.size());
    for (String flag : forServe) {
      if (OURS.contains(flag.replaceFirst("=.*", ""))) {
        errors.println("millrace compare: " + flag + " is compare's own; give it before --");
        return CommandLine.ExitCode.USAGE;
      }
    }
    var ours = border < 0 ? arguments : Arrays.copyOf(arguments, border);
    return new CommandLine(new CompareCommand(all, forServe))
        .setOut(out)
        .setErr(errors)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(Main::report)
        .execute(ours);
  }

  /** A failed comparison is told in its own words; anything else is a fault of ours: the trace. */
  private static int report(
      Exception failure, CommandLine command, CommandLine.ParseResult arguments) throws Exception {
    if (failure instanceof CompareException) {
      command.getErr().println("millrace compare: " + failure.getMessage());
      return command.getCommandSpec().exitCodeOnExecutionException();
    }
    throw failure;
  }
}
