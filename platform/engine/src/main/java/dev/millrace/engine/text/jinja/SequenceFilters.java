package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters that order, join, cut and pick from sequences. */
final class SequenceFilters {
  static final Map<String, Filters.Filter> TABLE =
      Map.ofEntries(
          Map.entry("list", (v, a, m) -> copy(v, m)),
          Map.entry("first", (v, a, m) -> first(v)),
          Map.entry("last", (v, a, m) -> last(v)),
          Map.entry("join", SequenceFilters::join),
          Map.entry("reverse", SequenceFilters::reverse),
          Map.entry("sort", SequenceFilters::sort),
          Map.entry("dictsort", SequenceFilters::dictSort),
          Map.entry("items", (v, a, m) -> items(v)),
          Map.entry("sum", SequenceFilters::sum),
          Map.entry("min", (v, a, m) -> extreme(v, a, m, false)),
          Map.entry("max", (v, a, m) -> extreme(v, a, m, true)),
          Map.entry("batch", SequenceFilters::batch),
          Map.entry("slice", SequenceFilters::slice));

  private SequenceFilters() {}

  private static List<Object> copy(Object value, Meter meter) {
    var copy = new ArrayList<>(Values.list(value));
    meter.make(copy.size() * 8L);
    return copy;
  }

  private static Object first(Object value) {
    Iterator<Object> items = Values.iterate(value);
    return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
  }

  private static Object last(Object value) {
    if (value instanceof Generator) {
      throw JinjaException.fault("'generator' object is not reversible");
    }
    List<Object> items = Values.list(value);
    return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.getLast();
  }

  private static Object join(Object value, Arguments arguments, Meter meter) {
    arguments.expect("join", "d", "attribute");
    String separator = Repr.str(arguments.get(0, "d", ""), meter);
    UnaryOperator<Object> key = Keys.path(arguments.find(1, "attribute"), null, meter);
    var out = new Output(meter);
    String between = "";
    Iterator<Object> items = Values.iterate(value);
    while (items.hasNext()) {
      meter.step();
      out.add(between);
      out.add(Repr.str(key.apply(items.next()), meter));
      between = separator;
    }
    return out.toString();
  }

  private static Object reverse(Object value, Arguments arguments, Meter meter) {
    arguments.expect("reverse");
    if (Values.isText(value)) {
      return Access.slice(value, null, null, -1L, meter);
    }
    var items = copy(value, meter);
    Collections.reverse(items);
    return new Generator(items::iterator);
  }

  private static Object sort(Object value, Arguments arguments, Meter meter) {
    arguments.expect("sort", "reverse", "case_sensitive", "attribute");
    UnaryOperator<Object> key =
        Keys.paths(
            arguments.find(2, "attribute"), arguments.flag(1, "case_sensitive", false), meter);
    return sorted(copy(value, meter), key, arguments.flag(0, "reverse", false), meter);
  }

  /** A stable sort; reversed, equal items still keep their order. */
  static List<Object> sorted(
      List<Object> items, UnaryOperator<Object> key, boolean reverse, Meter meter) {
    record Keyed(Object key, Object item) {}
    var keyed = new ArrayList<Keyed>();
    items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
    Comparator<Object> order = Comparison.order(meter);
    keyed.sort(Comparator.comparing(Keyed::key, reverse ? order.reversed() : order));
    var sorted = new ArrayList<Object>();
    keyed.forEach(k -> sorted.add(k.item()));
    return sorted;
  }

  private static Object dictSort(Object value, Arguments arguments, Meter meter) {
    arguments.expect("dictsort", "case_sensitive", "by", "reverse");
    if (!(value instanceof Dict dict)) {
      throw Values.typeName(value).equals("Undefined")
          ? ((Undefined) value).failure()
          : JinjaException.fault(
              "'" + Values.typeName(value) + "' object has no attribute 'items'");
    }
    String by = Values.text(arguments.get(1, "by", "key"));
    if (!by.equals("key") && !by.equals("value")) {
      throw JinjaException.fault("You can only sort by either \"key\" or \"value\"");
    }
    Object position = by.equals("key") ? 0L : 1L;
    boolean caseSensitive = arguments.flag(0, "case_sensitive", false);
    return sorted(
        new DictView(dict, DictView.Kind.ITEMS).list(),
        Keys.key(position, caseSensitive, meter),
        arguments.flag(2, "reverse", false),
        meter);
  }

  private static Object items(Object value) {
    return new Generator(() -> {
      if (value instanceof Undefined) {
        return Collections.emptyIterator();
      }
      if (!(value instanceof Dict dict)) {
        throw JinjaException.fault("Can only get item pairs from a mapping.");
      }
      return new DictView(dict, DictView.Kind.ITEMS).list().iterator();
    });
  }

  private static Object sum(Object value, Arguments arguments, Meter meter) {
    arguments.expect("sum", "attribute", "start");
    UnaryOperator<Object> key = Keys.path(arguments.find(0, "attribute"), null, meter);
    Object total = arguments.get(1, "start", 0L);
    for (Object item : Values.list(value)) {
      total = Arithmetic.binary("+", total, key.apply(item), meter);
    }
    return total;
  }

  private static Object extreme(Object value, Arguments arguments, Meter meter, boolean most) {
    arguments.expect("min", "case_sensitive", "attribute");
    UnaryOperator<Object> key =
        Keys.key(arguments.find(1, "attribute"), arguments.flag(0, "case_sensitive", false), meter);
    Iterator<Object> items = Values.iterate(value);
    if (!items.hasNext()) {
      return new Undefined("No aggregated item, sequence was empty.");
    }
    Comparator<Object> order = Comparison.order(meter);
    Object best = items.next();
    Object bestKey = key.apply(best);
    while (items.hasNext()) {
      Object item = items.next();
      Object itemKey = key.apply(item);
      int difference = order.compare(itemKey, bestKey);
      if (most ? difference > 0 : difference < 0) {
        best = item;
        bestKey = itemKey;
      }
    }
    return best;
  }

  private static Object batch(Object value, Arguments arguments, Meter meter) {
    arguments.expect("batch", "linecount", "fill_with");
    long size = Numbers.index(arguments.required(0, "linecount"));
    Object fill = arguments.get(1, "fill_with", None.NONE);
    var batches = new ArrayList<Object>();
    List<Object> batch = new ArrayList<>();
    for (Object item : Values.list(value)) {
      if (batch.size() == size) {
        batches.add(batch);
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    if (!batch.isEmpty()) {
      meter.make(size * 8);
      while (fill != None.NONE && batch.size() < size) {
        batch.add(fill);
      }
      batches.add(batch);
    }
    return new Generator(batches::iterator);
  }

  private static Object slice(Object value, Arguments arguments, Meter meter) {
    arguments.expect("slice", "slices", "fill_with");
    long count = Numbers.index(arguments.required(0, "slices"));
    meter.make(Math.max(0, count) * 8);
    if (count <= 0) {
      throw JinjaException.fault("slice needs a positive count");
    }
    Object fill = arguments.get(1, "fill_with", None.NONE);
    List<Object> items = Values.list(value);
    int each = items.size() / (int) count;
    int longer = items.size() % (int) count;
    var slices = new ArrayList<Object>();
    int at = 0;
    for (int i = 0; i < count; i++) {
      int end = at + each + (i < longer ? 1 : 0);
      var slice = new ArrayList<>(items.subList(at, end));
      if (fill != None.NONE && i >= longer) {
        slice.add(fill);
      }
      slices.add(slice);
      at = end;
    }
    return new Generator(slices::iterator);
  }
}
