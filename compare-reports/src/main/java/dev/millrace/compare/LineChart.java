package dev.millrace.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A chart of lines as inline SVG; colours come from the page's style by the class of a series. */
final class LineChart {
  /** A line; places where {@code y} is not finite are gaps. */
  record Series(String name, String style, double[] x, double[] y, boolean dots) {}

  /** A stretch of the x axis in the colour of a contender. */
  record Band(double from, double to, String style, String name) {}

  private static final int LEFT = 58;
  private static final int RIGHT = 14;
  private static final int TOP = 12;
  private static final int BOTTOM = 40;

  private final int width;
  private final int height;
  private final String title;
  private final Axis x;
  private final Axis y;
  private final List<Series> series;
  private final List<Band> bands = new ArrayList<>();
  private double limit = Double.NaN;
  private String limitName = "";

  LineChart(int width, int height, String title, Axis x, Axis y, List<Series> series) {
    this.width = width;
    this.height = height;
    this.title = title;
    this.x = x;
    this.y = y;
    this.series = List.copyOf(series);
  }

  /** With a dashed line that must not be passed. */
  LineChart limit(double value, String name) {
    limit = value;
    limitName = name;
    return this;
  }

  LineChart bands(List<Band> more) {
    bands.addAll(more);
    return this;
  }

  String svg() {
    var svg = new StringBuilder();
    svg.append(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
            .formatted(width, height, Html.escape(title)));
    for (var band : bands) {
      double from = across(band.from());
      svg.append(
          String.format(
              Locale.ROOT,
              "<rect class=\"band %s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s</title></rect>",
              band.style(),
              from,
              TOP,
              Math.max(1, across(band.to()) - from),
              height - TOP - BOTTOM,
              Html.escape(band.name())));
    }
    axes(svg);
    if (Double.isFinite(limit)) {
      double at = down(limit);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line class=\"limit\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                  + "<text class=\"limit\" x=\"%d\" y=\"%.1f\">%s</text>",
              LEFT,
              width - RIGHT,
              at,
              at,
              LEFT + 6,
              at - 5,
              Html.escape(limitName)));
    }
    series.forEach(line -> draw(svg, line));
    return svg.append("</svg>").toString();
  }

  private void axes(StringBuilder svg) {
    for (var tick : y.ticks()) {
      double at = down(tick.value());
      svg.append(
          String.format(
              Locale.ROOT,
              "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                  + "<text class=\"tick end\" x=\"%d\" y=\"%.1f\">%s</text>",
              LEFT,
              width - RIGHT,
              at,
              at,
              LEFT - 7,
              at + 4,
              tick.label()));
    }
    for (var tick : x.ticks()) {
      double at = across(tick.value());
      svg.append(
          String.format(
              Locale.ROOT,
              "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                  + "<text class=\"tick mid\" x=\"%.1f\" y=\"%d\">%s</text>",
              at,
              at,
              TOP,
              height - BOTTOM,
              at,
              height - BOTTOM + 16,
              tick.label()));
    }
    svg.append(
        String.format(
            Locale.ROOT,
            "<text class=\"axis mid\" x=\"%.1f\" y=\"%d\">%s</text>"
                + "<text class=\"axis mid\" transform=\"translate(13 %.1f) rotate(-90)\">%s</text>",
            (LEFT + width - RIGHT) / 2.0,
            height - 6,
            Html.escape(x.label()),
            (TOP + height - BOTTOM) / 2.0,
            Html.escape(y.label())));
  }

  private void draw(StringBuilder svg, Series line) {
    var path = new StringBuilder();
    boolean pen = false;
    for (int i = 0; i < line.x().length; i++) {
      boolean there = Double.isFinite(line.y()[i]);
      if (there) {
        path.append(
            String.format(
                Locale.ROOT,
                "%s%.1f %.1f",
                pen ? "L" : "M",
                across(line.x()[i]),
                down(line.y()[i])));
      }
      pen = there;
    }
    svg.append(
        "<path class=\"line %s\" d=\"%s\"><title>%s</title></path>"
            .formatted(line.style(), path, Html.escape(line.name())));
    if (line.dots()) {
      for (int i = 0; i < line.x().length; i++) {
        if (Double.isFinite(line.y()[i])) {
          svg.append(
              String.format(
                  Locale.ROOT,
                  "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>%s: %.1f</title></circle>",
                  line.style(),
                  across(line.x()[i]),
                  down(line.y()[i]),
                  Html.escape(line.name()),
                  line.y()[i]));
        }
      }
    }
  }

  private double across(double value) {
    return LEFT + x.place(value) * (width - LEFT - RIGHT);
  }

  private double down(double value) {
    return height - BOTTOM - y.place(value) * (height - TOP - BOTTOM);
  }
}
