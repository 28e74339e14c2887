package dev.millrace.engine.text.jinja;

/** Text marked as safe HTML: a string that escapes what is added to it. */
record Safe(String text) {
  static Safe escape(Object value, Meter meter) {
    if (value instanceof Safe safe) {
      return safe;
    }
    String text = Repr.str(value, meter);
    return new Safe(
        meter.made(
            text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&#34;")
                .replace("'", "&#39;")));
  }
}
