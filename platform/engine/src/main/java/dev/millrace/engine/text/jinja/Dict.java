package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A Python dict: insertion order, and keys that are equal as Python values are one key. */
final class Dict {
  /** A key as it was first written, and its value. */
  record Entry(Object key, Object value) {
    Tuple pair() {
      return Tuple.of(key, value);
    }
  }

  private final Map<Object, Entry> entries = new LinkedHashMap<>();

  @Nullable Object get(Object key) {
    Entry entry = entries.get(hashable(key));
    return entry == null ? null : entry.value();
  }

  void put(Object key, Object value) {
    Object hashable = hashable(key);
    Entry old = entries.get(hashable);
    entries.put(hashable, new Entry(old == null ? key : old.key(), value));
  }

  void putAll(Dict other) {
    other.entries().forEach(e -> put(e.key(), e.value()));
  }

  int size() {
    return entries.size();
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  /** A new list of the keys. */
  List<Object> keys() {
    var keys = new ArrayList<Object>(size());
    entries.values().forEach(e -> keys.add(e.key()));
    return keys;
  }

  /** A value that Java finds equal where Python finds the keys equal. */
  private static Object hashable(Object key) {
    return switch (key) {
      case String text -> text;
      case Safe safe -> safe.text();
      case Boolean flag -> flag ? 1L : 0L;
      case Double number when number == Math.rint(number) && Math.abs(number) < 0x1p63 ->
          (long) (double) number;
      case Tuple tuple -> {
        var items = new ArrayList<Object>();
        tuple.items().forEach(item -> items.add(hashable(item)));
        yield new Tuple(items);
      }
      case List<?> _, Dict _ ->
          throw JinjaException.fault("unhashable type: '" + Values.typeName(key) + "'");
      default -> key;
    };
  }
}
