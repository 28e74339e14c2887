package dev.millrace.compare;

import java.net.URI;

/** Who is measured: one column of the report. */
sealed interface Contender {
  String name();

  /** A scheduler of the server that this comparison starts. */
  record Scheduler(String name) implements Contender {}

  /** Another server that speaks OpenAI's completions API, started by somebody else. */
  record Peer(String name, URI base) implements Contender {
    /** Reads {@code name=http://host:port}. */
    static Peer parse(String text) {
      int at = text.indexOf('=');
      var base = at < 1 ? null : URI.create(text.substring(at + 1));
      if (base == null || !"http".equals(base.getScheme()) || base.getHost() == null) {
        throw new IllegalArgumentException("--peer needs NAME=http://HOST:PORT, not " + text);
      }
      return new Peer(text.substring(0, at), base);
    }
  }
}
