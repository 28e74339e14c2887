package dev.millrace.quantizers;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A JSON object whose values are strings, numbers, words and arrays of numbers: what bitsandbytes
 * keeps in a tensor. Plugins see the JDK only, which has no JSON.
 */
final class FlatJson {
  private static final String STRING = "\"([^\"\\\\]*)\"";
  private static final String NUMBER = "-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?";
  private static final Pattern MEMBER =
      Pattern.compile(
          "\\s*%s\\s*:\\s*(?:%s|(%s)|(true|false|null)|\\[([^\\[\\]\"]*)])\\s*([,}])"
              .formatted(STRING, STRING, NUMBER));

  private FlatJson() {}

  /**
   * The members: strings, numbers as {@link Double}, arrays as lists of these, words as strings.
   *
   * @throws IllegalArgumentException if it is no such object
   */
  static Map<String, Object> parse(String json) {
    var members = new HashMap<String, Object>();
    String text = json.strip();
    if (!text.startsWith("{")) {
      throw new IllegalArgumentException("no object");
    }
    var matcher = MEMBER.matcher(text);
    int at = 1;
    while (matcher.find(at) && matcher.start() == at) {
      members.put(matcher.group(1), value(matcher));
      at = matcher.end();
      if (matcher.group(6).equals("}")) {
        break;
      }
    }
    if (at != text.length() || !text.endsWith("}")) {
      throw new IllegalArgumentException("not understood from character " + at + " on");
    }
    return members;
  }

  private static Object value(Matcher member) {
    if (member.group(2) != null) {
      return member.group(2);
    }
    if (member.group(3) != null) {
      return Double.valueOf(member.group(3));
    }
    if (member.group(4) != null) {
      return member.group(4);
    }
    List<Double> numbers = new ArrayList<>();
    for (String number : member.group(5).split(",", -1)) {
      numbers.add(Double.valueOf(number.strip()));
    }
    return List.copyOf(numbers);
  }
}
