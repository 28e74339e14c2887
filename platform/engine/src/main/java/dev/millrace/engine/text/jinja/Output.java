package dev.millrace.engine.text.jinja;

/** Text being rendered, bounded. */
final class Output {
  private final StringBuilder text = new StringBuilder();
  private final Meter meter;

  Output(Meter meter) {
    this.meter = meter;
  }

  void add(String part) {
    if (text.length() + (long) part.length() > meter.limits().textLength()) {
      throw JinjaException.limit(
          "the output is longer than " + meter.limits().textLength() + " characters");
    }
    meter.steps(part.length() / 16);
    text.append(part);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
