package dev.millrace.engine.plugin;

import dev.millrace.spi.SchedulerPlugin;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Plugins as others write them: compiled against the SPI alone, on no class path of ours. */
final class StrangersCode {
  private final Path classes;

  private StrangersCode(Path classes) {
    this.classes = classes;
  }

  /** Compiles sources, by class name, into a folder. */
  static StrangersCode compile(Path folder, Map<String, String> sources)
      throws IOException, URISyntaxException {
    var compiler = ToolProvider.getSystemJavaCompiler();
    var spi =
        Path.of(SchedulerPlugin.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    var options =
        List.of("-proc:none", "-d", folder.toString(), "-cp", spi.toString(), "--release", "25");
    var units = sources.entrySet().stream().map(s -> source(s.getKey(), s.getValue())).toList();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      if (!compiler.getTask(null, files, null, options, null, units).call()) {
        throw new IllegalStateException("the plugins of the test do not compile");
      }
    }
    return new StrangersCode(folder);
  }

  byte[] classFile(String name) throws IOException {
    return Files.readAllBytes(classes.resolve(name.replace('.', '/') + ".class"));
  }

  /** A class of the SPI, as a jar would bring it that bundles its dependencies. */
  static byte[] spiClass(Class<?> type) throws IOException {
    try (var in = type.getResourceAsStream(type.getSimpleName() + ".class")) {
      return Objects.requireNonNull(in, type.getName()).readAllBytes();
    }
  }

  /** A scheduler plugin. */
  static String scheduler(String className, String name, String constructorBody) {
    return """
    package stranger;
    import dev.millrace.spi.SchedulerPlugin;
    import dev.millrace.spi.schedule.*;
    public final class %s implements SchedulerPlugin {
      public %s() { %s }
      public String name() { return %s; }
      public Scheduler create(java.util.Map<String, String> settings) {
        return view -> StepPlan.of(java.util.List.of());
      }
    }
    """
        .formatted(className, className, constructorBody, name);
  }

  /** A quantization plugin. */
  static String quantizer(String className, String name) {
    return """
    package stranger;
    import dev.millrace.spi.quant.*;
    public final class %s implements dev.millrace.spi.QuantizationPlugin {
      public String name() { return "%s"; }
      public boolean accepts(String matrix, Checkpoint checkpoint) { return false; }
      public QuantizedMatrix read(String matrix, Checkpoint checkpoint) { return null; }
    }
    """
        .formatted(className, name);
  }

  /** A model plugin. */
  static String model(String className, String architectures) {
    return """
    package stranger;
    import dev.millrace.spi.model.*;
    public final class %s implements dev.millrace.spi.ModelPlugin {
      public java.util.Set<String> architectures() { return java.util.Set.of(%s); }
      public ModelSpec describe(ModelConfig config) { return null; }
      public Model load(ModelSpec spec, ModelConfig config, Weights weights) { return null; }
    }
    """
        .formatted(className, architectures);
  }

  private static JavaFileObject source(String name, String code) {
    var uri = URI.create("string:///" + name.replace('.', '/') + ".java");
    return new SimpleJavaFileObject(uri, JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return code;
      }
    };
  }
}
