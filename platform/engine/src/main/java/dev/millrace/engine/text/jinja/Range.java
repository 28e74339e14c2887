package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** A Python range; its length has been checked against the limits. */
record Range(long start, long stop, long step) {
  static Range of(Arguments arguments, Meter meter) {
    arguments.expect("range", "start", "stop", "step");
    Object first = arguments.required(0, "start");
    boolean one = arguments.positional().size() == 1;
    long start = one ? 0 : Numbers.index(first);
    long stop = Numbers.index(one ? first : arguments.required(1, "stop"));
    long step = Numbers.index(arguments.get(2, "step", 1L));
    if (step == 0) {
      throw JinjaException.fault("range() arg 3 must not be zero");
    }
    var range = new Range(start, stop, step);
    if (range.exactLength() > meter.limits().rangeLength()) {
      throw JinjaException.limit(
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE ("
              + meter.limits().rangeLength()
              + ").");
    }
    return range;
  }

  private double exactLength() {
    return Math.max(0, Math.ceil(((double) stop - start) / step));
  }

  int length() {
    return (int) exactLength();
  }

  /** The element at an index, where it is known to be an int. */
  int at(int index) {
    return (int) (start + index * step);
  }

  List<Object> list() {
    var list = new ArrayList<Object>(length());
    for (int i = 0; i < length(); i++) {
      list.add(start + i * step);
    }
    return list;
  }
}
