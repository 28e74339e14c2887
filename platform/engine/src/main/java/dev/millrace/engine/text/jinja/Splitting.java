package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Python's {@code split} family. */
final class Splitting {
  private Splitting() {}

  static List<Object> split(String text, Arguments arguments) {
    arguments.expect("split", "sep", "maxsplit");
    long most = arguments.integer(1, "maxsplit", -1);
    Object separator = arguments.get(0, "sep", None.NONE);
    if (separator == None.NONE) {
      return words(text, most < 0 ? Long.MAX_VALUE : most);
    }
    String cut = separator(separator);
    var parts = new ArrayList<Object>();
    int at = 0;
    for (int hit = text.indexOf(cut);
        hit >= 0 && (most < 0 || parts.size() < most);
        hit = text.indexOf(cut, at)) {
      parts.add(text.substring(at, hit));
      at = hit + cut.length();
    }
    parts.add(text.substring(at));
    return parts;
  }

  static List<Object> splitFromRight(String text, Arguments arguments) {
    arguments.expect("rsplit", "sep", "maxsplit");
    long most = arguments.integer(1, "maxsplit", -1);
    Object separator = arguments.get(0, "sep", None.NONE);
    if (separator == None.NONE) {
      return wordsFromRight(text, most < 0 ? Long.MAX_VALUE : most);
    }
    String cut = separator(separator);
    var parts = new ArrayList<Object>();
    int end = text.length();
    for (int hit = text.lastIndexOf(cut, end - cut.length());
        hit >= 0 && (most < 0 || parts.size() < most);
        hit = end < cut.length() ? -1 : text.lastIndexOf(cut, end - cut.length())) {
      parts.add(text.substring(hit + cut.length(), end));
      end = hit;
    }
    parts.add(text.substring(0, end));
    Collections.reverse(parts);
    return parts;
  }

  private static String separator(Object separator) {
    String cut = Values.text(separator);
    if (cut.isEmpty()) {
      throw JinjaException.fault("empty separator");
    }
    return cut;
  }

  private static List<Object> words(String text, long most) {
    var parts = new ArrayList<Object>();
    String rest = Chars.stripLeft(text, Chars::isSpace);
    while (!rest.isEmpty()) {
      if (parts.size() == most) {
        parts.add(rest);
        return parts;
      }
      String after = Chars.stripLeft(rest, p -> !Chars.isSpace(p));
      parts.add(rest.substring(0, rest.length() - after.length()));
      rest = Chars.stripLeft(after, Chars::isSpace);
    }
    return parts;
  }

  private static List<Object> wordsFromRight(String text, long most) {
    var parts = new ArrayList<Object>();
    String rest = Chars.stripRight(text);
    while (!rest.isEmpty()) {
      if (parts.size() == most) {
        parts.add(rest);
        break;
      }
      String before = Chars.stripRight(rest, p -> !Chars.isSpace(p));
      parts.add(rest.substring(before.length()));
      rest = Chars.stripRight(before);
    }
    Collections.reverse(parts);
    return parts;
  }

  static List<Object> lines(String text, boolean keepEnds) {
    var lines = new ArrayList<Object>();
    int start = 0;
    for (int at = 0; at < text.length(); at++) {
      if (Chars.isLineBreak(text.charAt(at))) {
        int end = at;
        if (text.charAt(at) == '\r' && at + 1 < text.length() && text.charAt(at + 1) == '\n') {
          at++;
        }
        lines.add(text.substring(start, keepEnds ? at + 1 : end));
        start = at + 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    return lines;
  }

  static Tuple partition(String text, Arguments arguments, boolean last) {
    arguments.expect("partition", "sep");
    String separator = separator(arguments.required(0, "sep"));
    int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (at < 0) {
      return last ? Tuple.of("", "", text) : Tuple.of(text, "", "");
    }
    return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
  }
}
