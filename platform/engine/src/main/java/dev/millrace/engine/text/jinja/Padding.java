package dev.millrace.engine.text.jinja;

/** Texts filled up to a width. */
final class Padding {
  /** Where the filling goes. */
  enum Side {
    LEFT,
    RIGHT,
    BOTH
  }

  private Padding() {}

  static String pad(String text, Arguments arguments, Side side, Meter meter) {
    arguments.expect("just", "width", "fillchar");
    Object fill = arguments.get(1, "fillchar", " ");
    return pad(text, Numbers.index(arguments.required(0, "width")), Values.text(fill), side, meter);
  }

  static String pad(String text, long width, String fill, Side side, Meter meter) {
    if (Chars.length(fill) != 1) {
      throw JinjaException.fault("The fill character must be exactly one character long");
    }
    long missing = Math.max(0, width - Chars.length(text));
    // Python's centre leans left when both the margin and the width are odd.
    long left =
        switch (side) {
          case LEFT -> missing;
          case RIGHT -> 0;
          case BOTH -> missing / 2 + (missing & width & 1);
        };
    return Arithmetic.repeat(fill, left, meter)
        + text
        + Arithmetic.repeat(fill, missing - left, meter);
  }

  static String zeros(String text, long width, Meter meter) {
    boolean signed = text.startsWith("-") || text.startsWith("+");
    String sign = signed ? text.substring(0, 1) : "";
    return sign
        + Arithmetic.repeat("0", Math.max(0, width - Chars.length(text)), meter)
        + text.substring(sign.length());
  }

  static String tabs(String text, long size, Meter meter) {
    var out = new Output(meter);
    long column = 0;
    for (int point : text.codePoints().toArray()) {
      if (point == '\t') {
        long width = size <= 0 ? 0 : size - column % size;
        out.add(Arithmetic.repeat(" ", width, meter));
        column += width;
      } else {
        out.add(Character.toString(point));
        column = point == '\n' || point == '\r' ? 0 : column + 1;
      }
    }
    return out.toString();
  }
}
