package dev.millrace.server.quality;

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
    double mostKl = 1000 * all.stream().mapToDouble(one -> one.text().divergence()).max().orElse(0);
    mostKl = mostKl > 0 ? mostKl : 1;
    var svg = new StringBuilder();
    add(
        svg,
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                + " font-size=\"12\" fill=\"#808080\" stroke-width=\"1\">",
            WIDTH,
            HEIGHT));
    for (int i = 0; i <= TICKS; i++) {
      double part = (double) i / TICKS;
      double x = x(part);
      double y = y(part);
      add(
          svg,
          String.format(
              Locale.ROOT,
              "<path d=\"M%d %.1fH%d\" stroke=\"#80808040\"/>",
              LEFT,
              y,
              WIDTH - RIGHT));
      add(
          svg,
          String.format(
              Locale.ROOT,
              "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.2f</text>",
              LEFT - 6,
              y + 4,
              part * mostKl));
      add(
          svg,
          String.format(
              Locale.ROOT,
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f</text>",
              x,
              HEIGHT - BOTTOM + 18,
              part * mostBytes));
    }
    for (var one : all) {
      double x = x(one.bytes() / 1e6 / mostBytes);
      double y = y(1000 * one.text().divergence() / mostKl);
      add(
          svg,
          String.format(
              Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#3b7dd8\"/>", x, y));
      add(
          svg,
          String.format(
              Locale.ROOT,
              "<text x=\"%.1f\" y=\"%.1f\">%s</text>",
              x + 7,
              y + 4,
              escaped(one.name())));
    }
    add(
        svg,
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\">weights, MB</text><text x=\"%d\" y=\"%d\">KL, millinats</text></svg>",
            (WIDTH - RIGHT + LEFT) / 2 - 30,
            HEIGHT - 10,
            4,
            14));
    return svg.toString();
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
