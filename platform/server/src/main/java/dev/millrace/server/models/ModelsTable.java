package dev.millrace.server.models;

import dev.millrace.engine.hub.CachedRevision;
import dev.millrace.engine.hub.PullProgress;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;

/** Shows the revisions of a cache, a line for each. */
record ModelsTable(PrintWriter out) {
  private static final int SHORT_COMMIT = 12;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm").withZone(ZoneId.systemDefault());
  private static final List<String> HEAD =
      List.of("MODEL", "REVISION", "COMMIT", "SIZE", "FILES", "LAST USED", "SERVABLE");

  void print(Path cache, List<CachedRevision> revisions) {
    if (revisions.isEmpty()) {
      out.println("no models in " + cache);
      return;
    }
    var rows = new ArrayList<List<String>>();
    rows.add(HEAD);
    revisions.forEach(revision -> rows.add(row(revision)));
    var widths = new int[HEAD.size()];
    for (var row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (var row : rows) {
      var line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        line.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
      }
      out.println(line.toString().stripTrailing());
    }
    out.println("in " + cache);
  }

  private static List<String> row(CachedRevision revision) {
    return List.of(
        revision.repository(),
        revision.revisions().isEmpty() ? "-" : String.join(",", revision.revisions()),
        revision.commit().substring(0, SHORT_COMMIT),
        PullProgress.size(revision.bytes()),
        String.valueOf(revision.files().size()),
        revision.files().isEmpty() ? "-" : TIME.format(revision.lastUsed()),
        revision.servable() ? "yes" : "no");
  }
}
