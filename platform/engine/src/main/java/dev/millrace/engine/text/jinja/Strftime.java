package dev.millrace.engine.text.jinja;

import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Python's {@code strftime} of a local time without a zone, in the C locale. */
final class Strftime {
  private Strftime() {}

  static String format(String format, LocalDateTime time) {
    var out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char flag = format.charAt(++i);
      boolean flagged = "-_0^#".indexOf(flag) >= 0 && i + 1 < format.length();
      char code = flagged ? format.charAt(++i) : flag;
      out.append(directive(code, flagged ? flag : 0, time));
    }
    return out.toString();
  }

  private static String directive(char code, char flag, LocalDateTime time) {
    return switch (code) {
      case 'd' -> number(time.getDayOfMonth(), 2, '0', flag);
      case 'e' -> number(time.getDayOfMonth(), 2, ' ', flag);
      case 'm' -> number(time.getMonthValue(), 2, '0', flag);
      case 'y' -> number(time.getYear() % 100, 2, '0', flag);
      case 'C' -> number(time.getYear() / 100, 2, '0', flag);
      case 'Y' -> Integer.toString(time.getYear());
      case 'H' -> number(time.getHour(), 2, '0', flag);
      case 'k' -> number(time.getHour(), 2, ' ', flag);
      case 'I' -> number(time.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, '0', flag);
      case 'l' -> number(time.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, ' ', flag);
      case 'M' -> number(time.getMinute(), 2, '0', flag);
      case 'S' -> number(time.getSecond(), 2, '0', flag);
      case 'f' -> "%06d".formatted(time.getNano() / 1000);
      case 'j' -> number(time.getDayOfYear(), 3, '0', flag);
      case 'u' -> Integer.toString(time.getDayOfWeek().getValue());
      case 'w' -> Integer.toString(time.getDayOfWeek().getValue() % 7);
      case 'U' -> number(week(time, time.getDayOfWeek().getValue() % 7), 2, '0', flag);
      case 'W' -> number(week(time, time.getDayOfWeek().getValue() - 1), 2, '0', flag);
      case 'V' -> number(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', flag);
      case 'G' -> Integer.toString(time.get(IsoFields.WEEK_BASED_YEAR));
      case 'a' ->
          upper(
              time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3),
              flag);
      case 'A' -> upper(time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH), flag);
      case 'b', 'h' -> upper(monthName(time).substring(0, 3), flag);
      case 'B' -> upper(monthName(time), flag);
      case 'p' -> time.getHour() < 12 ? "AM" : "PM";
      case 'P' -> time.getHour() < 12 ? "am" : "pm";
      case 'c' -> format("%a %b %e %H:%M:%S %Y", time);
      case 'x', 'D' -> format("%m/%d/%y", time);
      case 'X', 'T' -> format("%H:%M:%S", time);
      case 'R' -> format("%H:%M", time);
      case 'r' -> format("%I:%M:%S %p", time);
      case 'F' -> format("%Y-%m-%d", time);
      case 'n' -> "\n";
      case 't' -> "\t";
      case 'z', 'Z' -> "";
      case '%' -> "%";
      default -> "%" + (flag == 0 ? "" : String.valueOf(flag)) + code;
    };
  }

  private static String monthName(LocalDateTime time) {
    return time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
  }

  private static int week(LocalDateTime time, int daysSinceWeekStart) {
    return (time.getDayOfYear() + 6 - daysSinceWeekStart) / 7;
  }

  private static String upper(String name, char flag) {
    return flag == '^' ? name.toUpperCase(Locale.ROOT) : name;
  }

  private static String number(int value, int width, char pad, char flag) {
    String digits = Integer.toString(value);
    char fill = flag == '_' ? ' ' : flag == '0' ? '0' : pad;
    return flag == '-'
        ? digits
        : String.valueOf(fill).repeat(Math.max(0, width - digits.length())) + digits;
  }
}
