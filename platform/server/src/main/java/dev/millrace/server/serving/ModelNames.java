package dev.millrace.server.serving;

import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import java.nio.file.Path;
import java.util.List;

/** What requests may call the model. */
public final class ModelNames {
  private static final String DEMO = "millrace-demo";

  private ModelNames() {}

  /** The names that were set, or else the name of the model's directory. */
  public static List<String> of(Settings settings) {
    return settings
        .find(Keys.SERVED_MODEL_NAME)
        .filter(names -> !names.isEmpty())
        .orElseGet(() -> List.of(settings.find(Keys.MODEL).map(ModelNames::last).orElse(DEMO)));
  }

  private static String last(String directory) {
    var name = Path.of(directory).toAbsolutePath().normalize().getFileName();
    return name == null ? directory : name.toString();
  }
}
