package dev.millrace.loadtest;

import java.io.IOException;
import java.net.ProtocolException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The status and header fields of an HTTP/1.1 answer; field names in lower case. */
record ResponseHead(int status, Map<String, String> fields) {
  static ResponseHead read(StampedInput in) throws IOException {
    String line = in.line();
    var parts = line.split(" ", 3);
    if (!line.startsWith("HTTP/1.") || parts.length < 2 || !parts[1].matches("\\d{3}")) {
      throw new ProtocolException("not the status line of an HTTP/1.1 answer: " + line);
    }
    var fields = new TreeMap<String, String>();
    for (String field = in.line(); !field.isEmpty(); field = in.line()) {
      int colon = field.indexOf(':');
      if (colon < 1) {
        throw new ProtocolException("not a header field: " + field);
      }
      fields.put(
          field.substring(0, colon).strip().toLowerCase(Locale.ROOT),
          field.substring(colon + 1).strip());
    }
    return new ResponseHead(Integer.parseInt(parts[1]), Map.copyOf(fields));
  }

  boolean chunked() {
    return fields
        .getOrDefault("transfer-encoding", "")
        .toLowerCase(Locale.ROOT)
        .endsWith("chunked");
  }

  boolean isEventStream() {
    return fields.getOrDefault("content-type", "").startsWith("text/event-stream");
  }
}
