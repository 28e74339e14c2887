package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Runs checks that do not need one another, so that all that is wrong is said at once. */
final class Checks {
  private final List<InferenceException> problems = new ArrayList<>();

  /** Runs one check, which throws if something is wrong. */
  void run(Runnable check) {
    var _ =
        get(() -> {
          check.run();
          return "";
        });
  }

  /** Runs one check, and gives what it found; nothing if something is wrong. */
  <T> Optional<T> get(Supplier<T> check) {
    try {
      return Optional.of(check.get());
    } catch (InferenceException e) {
      problems.add(e);
    } catch (RuntimeException e) {
      problems.add(new InferenceException(ErrorCode.INVALID_PLUGIN, "a plugin failed: " + e, e));
    }
    return Optional.empty();
  }

  /** Throws what was found: the error itself if it is the only one. */
  void throwIfAny() {
    if (problems.size() == 1) {
      throw problems.getFirst();
    }
    if (!problems.isEmpty()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          problems.stream().map(InferenceException::getMessage).collect(Collectors.joining("; ")));
    }
  }
}
