package dev.millrace.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** {@code results.json}, what other programs read of a comparison, and {@code machine.json}. */
final class ResultsJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ResultsJson() {}

  static void write(Path folder, CompareSettings settings, Machine machine, Contest contest)
      throws IOException {
    var json = JSON.createObjectNode();
    json.set("server", contest.server());
    json.put("total_kv_blocks", contest.totalBlocks());
    json.put("requests_per_run", contest.calls().size());
    json.put("open_loop_requests_per_second", contest.openRate());
    json.put("lock_step_bound", LockStepBound.of(contest.calls(), settings.maxNumSeqs()));
    json.put("answers_known_alone", contest.alone());
    json.put("answers_compared", contest.compared());
    var verdict = Verdict.of(settings, contest);
    json.put("exit_code", verdict.exitCode());
    json.set("remarks", JSON.valueToTree(verdict.lines()));
    var columns = json.putArray("contenders");
    contest.columns().forEach(column -> columns.add(column(column, contest)));
    write(folder.resolve("results.json"), json);
    write(folder.resolve("machine.json"), JSON.valueToTree(machine));
  }

  private static void write(Path file, ObjectNode json) throws IOException {
    Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
  }

  private static ObjectNode column(Column column, Contest contest) {
    var json = JSON.createObjectNode();
    json.put("name", column.name());
    var metrics = json.putObject("metrics");
    for (var list : List.of(Metric.FIRST_TABLE, Metric.DETAILS)) {
      for (var metric : list) {
        var spread = metric.value().apply(column);
        if (Double.isFinite(spread.median())) {
          var figure = metrics.putObject(metric.key());
          figure.put("median", spread.median());
          figure.put("least", spread.least());
          figure.put("greatest", spread.greatest());
        }
        var ratio = metric.ratio(contest.baseline(), column);
        if (ratio.isPresent() && !column.name().equals(contest.baseline().name())) {
          metrics.withObject("/" + metric.key()).put("ratio", ratio.getAsDouble());
        }
      }
    }
    json.put("errors", column.errors());
    json.put("wrong_answers", column.wrongAnswers());
    var load = ServerLoad.of(column, contest);
    json.set("server_load", JSON.valueToTree(load));
    var runs = json.putArray("runs");
    for (var run : column.runs()) {
      var entry = runs.addObject();
      entry.put("name", run.result().name());
      entry.put("kind", run.kind().name().toLowerCase(Locale.ROOT));
      entry.put("users", run.users());
      entry.put("start_seconds", (run.result().firstNanos() - contest.startNanos()) / 1e9);
      entry.put("output_tokens_per_second", run.result().outputTokensPerSecond());
      entry.put("valid", !run.invalid());
    }
    return json;
  }
}
