package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Attributes, elements and slices, with what the sandbox hides. */
final class Access {
  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Access() {}

  /** {@code object.name}: a Python attribute first, then an element of that name. */
  static Object attribute(Object object, String name, Meter meter) {
    Object found = pythonAttribute(object, name);
    if (found != null) {
      return found;
    }
    Object element = object instanceof Dict dict ? dict.get(name) : null;
    return element != null ? element : Undefined.attribute(object, name);
  }

  /** {@code object[key]}: an element first, then a Python attribute of that name. */
  static Object item(Object object, Object key, Meter meter) {
    if (object instanceof Undefined undefined) {
      throw undefined.failure();
    }
    Object found = element(object, key);
    if (found == null && key instanceof String name) {
      found = pythonAttribute(object, name);
    }
    return found != null ? found : Undefined.element(object, key, meter);
  }

  private static @Nullable Object element(Object object, Object key) {
    return switch (object) {
      case Dict dict -> key instanceof List<?> || key instanceof Dict ? null : dict.get(key);
      case List<?> list -> at(list, key);
      case Tuple tuple -> at(tuple.items(), key);
      case Range range -> at(range.list(), key);
      case String text -> character(text, key);
      case Safe safe -> {
        String character = character(safe.text(), key);
        yield character == null ? null : new Safe(character);
      }
      default -> null;
    };
  }

  private static @Nullable Object at(List<?> list, Object key) {
    int index = position(key, list.size());
    return index < 0 ? null : list.get(index);
  }

  private static @Nullable String character(String text, Object key) {
    int length = Numbers.isInteger(key) ? Chars.length(text) : 0;
    int index = position(key, length);
    return index < 0 ? null : Character.toString(text.codePointAt(Chars.offset(text, index)));
  }

  /** The index a key stands for, -1 where there is none. */
  private static int position(Object key, int size) {
    if (!Numbers.isInteger(key)) {
      return -1;
    }
    long index = Numbers.index(key);
    long position = index < 0 ? index + size : index;
    return position >= 0 && position < size ? (int) position : -1;
  }

  private static @Nullable Object pythonAttribute(Object object, String name) {
    if (object instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (name.startsWith("__") && name.endsWith("__")) {
      return Undefined.unsafe(object, name);
    }
    return switch (object) {
      case String text -> StringMethods.find(text, name, false);
      case Safe safe -> StringMethods.find(safe.text(), name, true);
      case Dict dict ->
          DICT_CHANGES.contains(name)
              ? Undefined.unsafe(object, name)
              : ContainerMethods.find(dict, name);
      case List<?> list ->
          LIST_CHANGES.contains(name)
              ? Undefined.unsafe(object, name)
              : ContainerMethods.find(list, name);
      case Tuple tuple -> {
        int at = tuple.names().indexOf(name);
        yield at >= 0 ? tuple.items().get(at) : ContainerMethods.find(tuple.items(), name);
      }
      case Namespace namespace -> namespace.attributes().get(name);
      case LoopState loop -> loop.attribute(name);
      case Macro macro when name.equals("name") -> macro.name();
      default -> null;
    };
  }

  /** {@code object[from:to:step]}, null standing for an absent bound. */
  static Object slice(
      Object object,
      @Nullable Object from,
      @Nullable Object to,
      @Nullable Object stepBy,
      Meter meter) {
    Long step = bound(stepBy);
    return switch (object) {
      case String text -> slice(text, bound(from), bound(to), step, meter);
      case Safe safe -> new Safe(slice(safe.text(), bound(from), bound(to), step, meter));
      case List<?> list -> slice(list, bound(from), bound(to), step, meter);
      case Tuple tuple -> new Tuple(slice(tuple.items(), bound(from), bound(to), step, meter));
      case Range range -> slice(range, bound(from), bound(to), step);
      case Undefined undefined -> throw undefined.failure();
      default ->
          throw JinjaException.fault(
              "'" + Values.typeName(object) + "' object is not subscriptable");
    };
  }

  private static @Nullable Long bound(@Nullable Object value) {
    return value == null || value == None.NONE ? null : (Long) Numbers.index(value);
  }

  private static String slice(
      String text, @Nullable Long from, @Nullable Long to, @Nullable Long step, Meter meter) {
    meter.make(text.length());
    if (step == null || step == 1) {
      int length = Chars.length(text);
      int start = clamp(from, 0, length, 0, length);
      int end = Math.max(start, clamp(to, length, length, 0, length));
      return text.substring(Chars.offset(text, start), Chars.offset(text, end));
    }
    var out = new StringBuilder();
    int[] points = text.codePoints().toArray();
    Range indices = indices(from, to, step, points.length);
    for (int i = 0; i < indices.length(); i++) {
      out.appendCodePoint(points[indices.at(i)]);
    }
    return out.toString();
  }

  private static List<Object> slice(
      List<?> list, @Nullable Long from, @Nullable Long to, @Nullable Long step, Meter meter) {
    meter.make(list.size() * 8L);
    var out = new ArrayList<Object>();
    Range indices = indices(from, to, step, list.size());
    for (int i = 0; i < indices.length(); i++) {
      out.add(list.get(indices.at(i)));
    }
    return out;
  }

  private static Range slice(
      Range range, @Nullable Long from, @Nullable Long to, @Nullable Long stepBy) {
    Range indices = indices(from, to, stepBy, range.length());
    return new Range(
        range.start() + indices.start() * range.step(),
        range.start() + indices.stop() * range.step(),
        range.step() * indices.step());
  }

  private static Range indices(
      @Nullable Long from, @Nullable Long to, @Nullable Long stepBy, int length) {
    long step = stepBy == null ? 1 : Math.clamp(stepBy, -length - 1L, length + 1L);
    if (step == 0) {
      throw JinjaException.fault("slice step cannot be zero");
    }
    boolean back = step < 0;
    int low = back ? -1 : 0;
    int high = back ? length - 1 : length;
    int start = clamp(from, back ? high : low, length, low, high);
    return new Range(start, clamp(to, back ? low : high, length, low, high), step);
  }

  private static int clamp(@Nullable Long bound, int absent, int length, int low, int high) {
    if (bound == null) {
      return absent;
    }
    long position = bound < 0 ? bound + length : bound;
    return Math.clamp(position, low, Math.max(low, high));
  }
}
