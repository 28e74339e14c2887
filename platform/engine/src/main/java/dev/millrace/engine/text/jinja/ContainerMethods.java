package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The methods of Python's {@code dict}, {@code list} and {@code tuple} that change nothing. */
final class ContainerMethods {
  private ContainerMethods() {}

  static @Nullable Function find(Dict dict, String name) {
    return switch (name) {
      case "items" -> view(dict, DictView.Kind.ITEMS);
      case "keys" -> view(dict, DictView.Kind.KEYS);
      case "values" -> view(dict, DictView.Kind.VALUES);
      case "get" ->
          (arguments, _) -> {
            arguments.expect("get", "key", "default");
            Object value = dict.get(arguments.required(0, "key"));
            return value != null ? value : arguments.get(1, "default", None.NONE);
          };
      case "copy" ->
          (_, meter) -> {
            meter.make(dict.size() * 8L);
            var copy = new Dict();
            copy.putAll(dict);
            return copy;
          };
      default -> null;
    };
  }

  private static Function view(Dict dict, DictView.Kind kind) {
    return (arguments, _) -> {
      arguments.expect("dict view");
      return new DictView(dict, kind);
    };
  }

  static @Nullable Function find(List<?> list, String name) {
    return switch (name) {
      case "index" ->
          (arguments, meter) -> {
            Object wanted = arguments.required(0, "value");
            for (int i = 0; i < list.size(); i++) {
              if (Comparison.equal(list.get(i), wanted, meter)) {
                return (long) i;
              }
            }
            throw JinjaException.fault(Repr.repr(wanted, meter) + " is not in list");
          };
      case "count" ->
          (arguments, meter) -> {
            Object wanted = arguments.required(0, "value");
            return list.stream().filter(item -> Comparison.equal(item, wanted, meter)).count();
          };
      case "copy" ->
          (_, meter) -> {
            meter.make(list.size() * 8L);
            return new ArrayList<Object>(list);
          };
      default -> null;
    };
  }
}
