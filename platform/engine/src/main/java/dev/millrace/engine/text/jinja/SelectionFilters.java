package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Filters that keep, change or group items, one by one as they are asked for. */
final class SelectionFilters {
  static final Map<String, Filters.Filter> TABLE =
      Map.ofEntries(
          Map.entry("map", SelectionFilters::map),
          Map.entry("select", (v, a, m) -> select(v, a, m, false, true)),
          Map.entry("reject", (v, a, m) -> select(v, a, m, false, false)),
          Map.entry("selectattr", (v, a, m) -> select(v, a, m, true, true)),
          Map.entry("rejectattr", (v, a, m) -> select(v, a, m, true, false)),
          Map.entry("unique", SelectionFilters::unique),
          Map.entry("groupby", SelectionFilters::groupBy));

  private SelectionFilters() {}

  private static Object map(Object value, Arguments arguments, Meter meter) {
    UnaryOperator<Object> change = mapping(arguments, meter);
    return lazy(
        value,
        items ->
            new Iterator<>() {
              @Override
              public boolean hasNext() {
                return items.hasNext();
              }

              @Override
              public Object next() {
                meter.step();
                return change.apply(items.next());
              }
            });
  }

  private static UnaryOperator<Object> mapping(Arguments arguments, Meter meter) {
    if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
      var named = new HashMap<>(arguments.named());
      Object path = named.remove("attribute");
      Object otherwise = named.remove("default");
      if (!named.isEmpty()) {
        throw JinjaException.fault(
            "Unexpected keyword argument '" + named.keySet().iterator().next() + "'");
      }
      return Keys.path(path, otherwise, meter);
    }
    if (arguments.positional().isEmpty()) {
      throw JinjaException.fault("map requires a filter argument");
    }
    String filter = Values.text(arguments.positional().getFirst());
    if (!Filters.exists(filter)) {
      throw JinjaException.fault("No filter named '" + filter + "'.");
    }
    Arguments rest = arguments.from(1);
    return item -> Filters.apply(filter, item, rest, meter);
  }

  private static Object select(
      Object value, Arguments arguments, Meter meter, boolean byAttribute, boolean keep) {
    UnaryOperator<Object> key = item -> item;
    int first = 0;
    if (byAttribute) {
      key = Keys.path(arguments.required(0, "attribute"), null, meter);
      first = 1;
    }
    Object test = first < arguments.positional().size() ? arguments.positional().get(first) : null;
    Predicate<Object> holds = Values::truth;
    if (test != null) {
      String name = Values.text(test);
      if (!Tests.exists(name)) {
        throw JinjaException.fault("No test named '" + name + "'.");
      }
      Arguments rest = arguments.from(first + 1);
      holds = item -> Tests.apply(name, item, rest, meter);
    }
    UnaryOperator<Object> looked = key;
    Predicate<Object> passes = holds;
    return lazy(value, items -> kept(items, i -> passes.test(looked.apply(i)) == keep, meter));
  }

  private static Iterator<Object> kept(
      Iterator<Object> items, Predicate<Object> wanted, Meter meter) {
    return new Iterator<>() {
      private @Nullable Object next;

      @Override
      public boolean hasNext() {
        while (next == null && items.hasNext()) {
          meter.step();
          Object candidate = items.next();
          next = wanted.test(candidate) ? candidate : null;
        }
        return next != null;
      }

      @Override
      public Object next() {
        Object found = hasNext() ? next : null;
        if (found == null) {
          throw new NoSuchElementException();
        }
        next = null;
        return found;
      }
    };
  }

  /** A generator over what is made of a value's items; nothing happens before it is read. */
  private static Generator lazy(
      Object value, java.util.function.Function<Iterator<Object>, Iterator<Object>> change) {
    return new Generator(() ->
        Values.truth(value) ? change.apply(Values.iterate(value)) : Collections.emptyIterator());
  }

  private static Object unique(Object value, Arguments arguments, Meter meter) {
    arguments.expect("unique", "case_sensitive", "attribute");
    UnaryOperator<Object> key =
        Keys.key(arguments.find(1, "attribute"), arguments.flag(0, "case_sensitive", false), meter);
    var seen = new Dict();
    Predicate<Object> isNew =
        item -> {
          Object itemKey = key.apply(item);
          boolean fresh = seen.get(itemKey) == null;
          seen.put(itemKey, true);
          return fresh;
        };
    return new Generator(() -> kept(Values.iterate(value), isNew, meter));
  }

  private static Object groupBy(Object value, Arguments arguments, Meter meter) {
    arguments.expect("groupby", "attribute", "default", "case_sensitive");
    boolean caseSensitive = arguments.flag(2, "case_sensitive", false);
    UnaryOperator<Object> exact =
        Keys.path(arguments.required(0, "attribute"), arguments.find(1, "default"), meter);
    UnaryOperator<Object> key =
        item -> caseSensitive ? exact.apply(item) : Keys.fold(exact.apply(item));
    List<Object> sorted =
        SequenceFilters.sorted(new ArrayList<>(Values.list(value)), key, false, meter);
    var groups = new ArrayList<Object>();
    List<Object> group = new ArrayList<>();
    for (int i = 0; i < sorted.size(); i++) {
      group.add(sorted.get(i));
      boolean last = i + 1 == sorted.size();
      if (last
          || !Comparison.equal(key.apply(sorted.get(i)), key.apply(sorted.get(i + 1)), meter)) {
        Object name = exact.apply(group.getFirst());
        groups.add(new Tuple(List.of(name, group), List.of("grouper", "list")));
        group = new ArrayList<>();
      }
    }
    return groups;
  }
}
