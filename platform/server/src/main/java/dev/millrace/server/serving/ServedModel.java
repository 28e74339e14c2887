package dev.millrace.server.serving;

import dev.millrace.engine.Engine;
import dev.millrace.engine.InferenceHost;
import dev.millrace.engine.load.LoadedModel;
import java.util.List;

/**
 * A model in service.
 *
 * @param names what requests may call it; the first is the one in answers
 * @param host closed with this
 */
public record ServedModel(List<String> names, InferenceHost host) implements AutoCloseable {
  public ServedModel {
    names = List.copyOf(names);
    if (names.isEmpty()) {
      throw new IllegalArgumentException("a model without a name");
    }
  }

  /** The name in answers and metrics. */
  public String name() {
    return names.getFirst();
  }

  public Engine engine() {
    return host.engine();
  }

  public LoadedModel loaded() {
    return host.model();
  }

  /** Longest prompt and answer together, in tokens. */
  public int maxModelLen() {
    return host.settings().maxModelLen();
  }

  @Override
  public void close() {
    host.close();
  }
}
