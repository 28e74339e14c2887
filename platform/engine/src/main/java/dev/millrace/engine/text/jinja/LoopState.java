package dev.millrace.engine.text.jinja;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code loop} variable. It reads no further ahead than a template asks, because the condition
 * of a filtered loop may depend on what the body does.
 */
final class LoopState implements Function {
  private final Iterator<Object> source;
  private final int depth;
  private final @Nullable Function recursion;
  private final Deque<Object> ahead = new ArrayDeque<>();
  private @Nullable Object previous;
  private @Nullable Object current;
  private @Nullable List<Object> lastChecked;
  private long index0 = -1;

  LoopState(Iterator<Object> source, int depth, @Nullable Function recursion) {
    this.source = source;
    this.depth = depth;
    this.recursion = recursion;
  }

  boolean hasNext() {
    return !ahead.isEmpty() || source.hasNext();
  }

  Object next() {
    previous = current;
    Object item = ahead.isEmpty() ? source.next() : ahead.poll();
    current = item;
    index0++;
    return item;
  }

  int depth() {
    return depth;
  }

  long length() {
    while (source.hasNext()) {
      ahead.add(source.next());
    }
    return index0 + 1 + ahead.size();
  }

  @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> index0 + 1;
      case "index0" -> index0;
      case "first" -> index0 == 0;
      case "last" -> !hasNext();
      case "length" -> length();
      case "revindex" -> length() - index0;
      case "revindex0" -> length() - index0 - 1;
      case "previtem" -> previous == null ? new Undefined("there is no previous item") : previous;
      case "nextitem" -> nextItem();
      case "depth" -> (long) depth;
      case "depth0" -> depth - 1L;
      case "cycle" -> (Function) (arguments, _) -> cycle(arguments.positional());
      case "changed" -> (Function) this::changed;
      default -> null;
    };
  }

  private Object nextItem() {
    if (ahead.isEmpty() && source.hasNext()) {
      ahead.add(source.next());
    }
    Object next = ahead.peek();
    return next == null ? new Undefined("there is no next item") : next;
  }

  private Object cycle(List<Object> values) {
    if (values.isEmpty()) {
      throw JinjaException.fault("no items for cycling given");
    }
    return values.get((int) (index0 % values.size()));
  }

  private Object changed(Arguments arguments, Meter meter) {
    List<Object> before = lastChecked;
    lastChecked = arguments.positional();
    return before == null || !Comparison.equal(before, arguments.positional(), meter);
  }

  @Override
  public Object call(Arguments arguments, Meter meter) {
    if (recursion == null) {
      throw JinjaException.fault(
          "The loop must have the 'recursive' marker to be called recursively.");
    }
    return recursion.call(arguments, meter);
  }
}
