package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What filters look at in each item: an attribute path, perhaps without regard to case. */
final class Keys {
  private Keys() {}

  /** The value at a path such as {@code function.name}, {@code 0} or, for null, the item itself. */
  static UnaryOperator<Object> path(
      @Nullable Object path, @Nullable Object otherwise, Meter meter) {
    if (path == null || path == None.NONE) {
      return item -> item;
    }
    List<Object> steps = new ArrayList<>();
    if (Values.isText(path)) {
      for (String step : Values.text(path).split("\\.", -1)) {
        steps.add(step.matches("\\d{1,9}") ? (Object) Long.valueOf(step) : step);
      }
    } else {
      steps.add(path);
    }
    return item -> {
      Object value = item;
      for (Object step : steps) {
        value = Access.item(value, step, meter);
        if (otherwise != null && value instanceof Undefined) {
          value = otherwise;
        }
      }
      return value;
    };
  }

  /** The values at one path, or at several with commas between them, as a list. */
  static UnaryOperator<Object> paths(@Nullable Object paths, boolean caseSensitive, Meter meter) {
    UnaryOperator<Object> fold = caseSensitive ? value -> value : Keys::fold;
    List<UnaryOperator<Object>> all = new ArrayList<>();
    if (paths != null && Values.isText(paths)) {
      for (String path : Values.text(paths).split(",", -1)) {
        all.add(path(path, null, meter));
      }
    } else {
      all.add(path(paths, null, meter));
    }
    return item -> all.stream().map(key -> fold.apply(key.apply(item))).toList();
  }

  /** The value at one path. */
  static UnaryOperator<Object> key(@Nullable Object path, boolean caseSensitive, Meter meter) {
    UnaryOperator<Object> exact = path(path, null, meter);
    return caseSensitive ? exact : item -> fold(exact.apply(item));
  }

  static Object fold(Object value) {
    return Values.isText(value) ? Values.text(value).toLowerCase(Locale.ROOT) : value;
  }
}
