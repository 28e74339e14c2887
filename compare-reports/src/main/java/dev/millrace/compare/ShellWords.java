package dev.millrace.compare;

import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Command lines as people write them. */
public final class ShellWords {
  private static final Pattern WORD = Pattern.compile("\\S+");

  private ShellWords() {}

  /** One line, to be pasted into a shell. */
  public static String joined(List<String> words) {
    return String.join(" ", words.stream().map(ShellWords::quoted).toList());
  }

  /** The words between blanks; quotes are not understood. */
  public static List<String> of(String line) {
    return WORD.matcher(line).results().map(MatchResult::group).toList();
  }

  private static String quoted(String word) {
    return word.matches("[\\w./:=,+@%-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
