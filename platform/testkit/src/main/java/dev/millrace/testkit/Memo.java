package dev.millrace.testkit;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a scheduler may leave as its memo: plain values and collections of the JDK. */
final class Memo {
  private Memo() {}

  /**
   * A deep copy.
   *
   * @throws AssertionError naming the class of what is no value of the JDK
   */
  static @Nullable Object copy(@Nullable Object memo) {
    if (memo instanceof List<?> list && isJdk(memo)) {
      var copy = new ArrayList<@Nullable Object>(list.size());
      list.forEach(element -> copy.add(copy(element)));
      return Collections.unmodifiableList(copy);
    }
    if (memo instanceof Set<?> set && isJdk(memo)) {
      var copy = new LinkedHashSet<@Nullable Object>();
      set.forEach(element -> copy.add(copy(element)));
      return Collections.unmodifiableSet(copy);
    }
    if (memo instanceof Map<?, ?> map && isJdk(memo)) {
      var copy = new LinkedHashMap<@Nullable Object, @Nullable Object>();
      map.forEach((key, value) -> copy.put(copy(key), copy(value)));
      return Collections.unmodifiableMap(copy);
    }
    return switch (memo) {
      case null -> null;
      case String _, Boolean _, Character _, Byte _, Short _, Integer _, Long _ -> memo;
      case Float _, Double _, BigInteger _, BigDecimal _, Duration _, Instant _ -> memo;
      default ->
          throw new AssertionError(
              "the memo holds a "
                  + memo.getClass().getName()
                  + "; it may hold strings, numbers, times and the JDK's lists, sets and maps");
    };
  }

  private static boolean isJdk(Object value) {
    return value.getClass().getClassLoader() == null;
  }
}
