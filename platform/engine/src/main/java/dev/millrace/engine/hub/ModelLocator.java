package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * Finds the model that a user names: a directory or a GGUF file, or else a model of a hub. What is
 * on the disk wins.
 */
public final class ModelLocator {
  private ModelLocator() {}

  /** What to fetch; empty if the name is one of the disk, whether there is something or not. */
  public static Optional<HubReference> reference(String model) {
    if (isPath(model) || exists(model)) {
      return Optional.empty();
    }
    return HubReference.parse(model);
  }

  /**
   * Where the model is.
   *
   * @param fetch brings a model of a hub to the disk
   * @throws InferenceException {@code UNKNOWN_CHECKPOINT} if the name is none; whatever fetching
   *     fails with, with what was looked for on the disk
   */
  public static Path locate(String model, Function<HubReference, Path> fetch) {
    if (isPath(model) || exists(model)) {
      return Path.of(model);
    }
    var wanted = HubReference.parse(model);
    if (wanted.isEmpty()) {
      throw new InferenceException(
          ErrorCode.UNKNOWN_CHECKPOINT,
          "there is no %s on the disk, and it is no name of a hub's model either: "
                  .formatted(onDisk(model))
              + "ORG/NAME, ORG/NAME:REVISION, ORG/NAME:QUANTIZATION or ORG/NAME/FILE.gguf");
    }
    try {
      return fetch.apply(wanted.get());
    } catch (InferenceException e) {
      throw switch (e.code()) {
        case UNKNOWN_CHECKPOINT, ACCESS_DENIED, HUB_UNAVAILABLE ->
            new InferenceException(
                e.code(),
                "%s (and there is no %s on the disk)".formatted(e.getMessage(), onDisk(model)),
                e);
        default -> e;
      };
    }
  }

  /** Such names can be nothing but paths. */
  private static boolean isPath(String model) {
    return model.startsWith("/") || model.startsWith("./") || model.startsWith("../");
  }

  private static boolean exists(String model) {
    try {
      return Files.exists(Path.of(model));
    } catch (InvalidPathException _) {
      return false;
    }
  }

  private static String onDisk(String model) {
    try {
      return Path.of(model).toAbsolutePath().normalize().toString();
    } catch (InvalidPathException _) {
      return model;
    }
  }
}
