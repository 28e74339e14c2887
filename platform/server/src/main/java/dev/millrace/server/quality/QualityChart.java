package dev.millrace.server.quality;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Draws the divergence of each format over its size. */
final class QualityChart {
  private static final int WIDTH = 640;
  private static final int HEIGHT = 360;
  private static final int LEFT = 70;
  private static final int BOTTOM = 50;
  private static final int TOP = 20;
  private static final int RIGHT = 110;
  private static final int TICKS = 4;

  private QualityChart() {}

  /** An SVG that reads on light and dark ground. */
  static String of(List<Judged> all) {
    double mostBytes = all.stream().mapToLong(Judged::bytes).max().orElse(1) / 1e6;
    double most = 1000 * all.stream().mapToDouble(one -> one.text().divergence()).max().orElse(0);
    double mostKl = most > 0 ? most : 1;
    var svg = new StringBuilder();
    add(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-size=\"12\""
                .formatted(WIDTH, HEIGHT)
            + " font-family=\"sans-serif\" fill=\"#808080\" stroke-width=\"1\">");
    axes(svg, mostBytes, mostKl);
    for (var one : all) {
      double x = x(one.bytes() / 1e6 / mostBytes);
      double y = y(1000 * one.text().divergence() / mostKl);
      add(svg, text("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#3b7dd8\"/>", x, y));
      add(
          svg,
          text("<text x=\"%.1f\" y=\"%.1f\">", x + 7, y + 4) + escaped(one.name()) + "</text>");
    }
    add(svg, "</svg>");
    return svg.toString();
  }

  private static void axes(StringBuilder svg, double mostBytes, double mostKl) {
    for (int i = 0; i <= TICKS; i++) {
      double part = (double) i / TICKS;
      double y = y(part);
      add(svg, text("<path d=\"M%.0f %.1fH%.0f\" stroke=\"#80808040\"/>", LEFT, y, WIDTH - RIGHT));
      add(
          svg,
          text("<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 6, y + 4)
              + text("%.2f</text>", part * mostKl));
      add(
          svg,
          text("<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">", x(part), HEIGHT - BOTTOM + 18)
              + text("%.1f</text>", part * mostBytes));
    }
    double middle = (WIDTH - RIGHT + LEFT) / 2.0;
    add(
        svg,
        text("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">", middle, HEIGHT - 10)
            + "weights, MB</text>");
    add(svg, "<text x=\"4\" y=\"14\">KL, millinats</text>");
  }

  /** In a way that does not depend on where this runs. */
  @SuppressWarnings("AnnotateFormatMethod") // the annotation is not on the class path
  private static String text(String format, double... values) {
    return String.format(Locale.ROOT, format, Arrays.stream(values).boxed().toArray());
  }

  private static double x(double part) {
    return LEFT + part * (WIDTH - LEFT - RIGHT);
  }

  private static double y(double part) {
    return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP);
  }

  private static String escaped(String name) {
    return name.replace("&", "&amp;").replace("<", "&lt;");
  }

  private static void add(StringBuilder svg, String line) {
    svg.append(line).append('\n');
  }
}
