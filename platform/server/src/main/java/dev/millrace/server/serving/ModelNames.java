package dev.millrace.server.serving;

import dev.millrace.engine.hub.ModelLocator;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** What requests may call the model. */
public final class ModelNames {
  private static final String DEMO = "millrace-demo";

  /** What comes after the name of a file, or of a part. */
  private static final Pattern GGUF = Pattern.compile("(-\\d{5}-of-\\d{5})?\\.gguf$");

  private ModelNames() {}

  /** The names that were set, or else the name of the model's directory or file, or on the hub. */
  public static List<String> of(Settings settings) {
    return settings
        .find(Keys.SERVED_MODEL_NAME)
        .filter(names -> !names.isEmpty())
        .orElseGet(() -> List.of(settings.find(Keys.MODEL).map(ModelNames::name).orElse(DEMO)));
  }

  private static String name(String model) {
    return ModelLocator.reference(model)
        .map(hub -> hub.file().isEmpty() ? hub.name() : last(hub.file()))
        .orElseGet(() -> last(model));
  }

  private static String last(String model) {
    var name = Path.of(model).toAbsolutePath().normalize().getFileName();
    return name == null ? model : GGUF.matcher(name.toString()).replaceFirst("");
  }
}
