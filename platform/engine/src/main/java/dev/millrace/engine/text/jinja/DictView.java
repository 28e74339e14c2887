package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** What {@code keys()}, {@code values()} and {@code items()} of a dict give. */
record DictView(Dict dict, Kind kind) {
  enum Kind {
    KEYS,
    VALUES,
    ITEMS
  }

  List<Object> list() {
    var list = new ArrayList<Object>(dict.size());
    for (Dict.Entry entry : dict.entries()) {
      list.add(
          switch (kind) {
            case KEYS -> entry.key();
            case VALUES -> entry.value();
            case ITEMS -> entry.pair();
          });
    }
    return list;
  }
}
