package dev.millrace.engine.text.jinja;

import java.time.Clock;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;

/** The functions every template has. */
final class Globals {
  private Globals() {}

  static Map<String, Object> functions(Clock clock) {
    Function now =
        (arguments, meter) -> {
          arguments.expect("strftime_now", "format");
          return meter.made(Strftime.format(arguments.text(0, "format"), LocalDateTime.now(clock)));
        };
    Function range = Range::of;
    Function dict = Globals::dict;
    Function namespace = Globals::namespace;
    Function raise = Globals::raise;
    return Map.of(
        "range", range,
        "dict", dict,
        "namespace", namespace,
        "raise_exception", raise,
        "strftime_now", now);
  }

  private static Dict dict(Arguments arguments, Meter meter) {
    var dict = new Dict();
    if (arguments.positional().size() > 1) {
      throw JinjaException.fault("dict expected at most 1 argument");
    }
    for (Object source : arguments.positional()) {
      if (source instanceof Dict other) {
        dict.putAll(other);
      } else {
        Values.iterate(source).forEachRemaining(pair -> putPair(dict, Values.list(pair)));
      }
    }
    arguments.named().forEach(dict::put);
    meter.make(dict.size() * 8L);
    return dict;
  }

  private static void putPair(Dict dict, List<Object> pair) {
    if (pair.size() != 2) {
      throw JinjaException.fault("dict update sequence elements must have length 2");
    }
    dict.put(pair.get(0), pair.get(1));
  }

  private static Object namespace(Arguments arguments, Meter meter) {
    var namespace = new Namespace();
    namespace.attributes().putAll(dict(arguments, meter));
    return namespace;
  }

  private static Object raise(Arguments arguments, Meter meter) {
    arguments.expect("raise_exception", "message");
    throw new JinjaException(
        JinjaException.Kind.RAISED, Repr.str(arguments.required(0, "message"), meter), 0);
  }
}
