package dev.millrace.engine.device.cpu;

import java.lang.reflect.InvocationTargetException;

/**
 * Sees to it that the Vector API is there before a class that needs it is loaded. Its module
 * incubates, so the JVM leaves it out unless asked. Asked for at the start, it costs everybody a
 * warning and the archived module graph, a third of a second; added while the program runs, as the
 * JDK adds the modules of its own agents, it costs neither.
 */
public final class VectorModule {
  private static final String NAME = "jdk.incubator.vector";

  private VectorModule() {}

  private static final class Loaded {
    static final String LACK = load();
  }

  /** Why there is no Vector API, and how to get it; empty where there is. */
  public static String lack() {
    return Loaded.LACK;
  }

  private static String load() {
    if (ModuleLayer.boot().findModule(NAME).isPresent()) {
      return "";
    }
    try {
      var modules = Class.forName("jdk.internal.module.Modules");
      var _ = modules.getMethod("loadModule", String.class).invoke(null, NAME);
      return "";
    } catch (InvocationTargetException e) {
      return "this Java has no module " + NAME + " (" + e.getCause() + "); use a whole JDK 25";
    } catch (ReflectiveOperationException _) {
      return "start Java with --add-modules=" + NAME;
    }
  }
}
