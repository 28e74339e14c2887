package dev.millrace.engine.hub;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model on a hub, as people write it: {@code org/name}, {@code org/name:revision}, of a
 * repository with GGUF files {@code org/name:Q4_K_M} or {@code org/name/file.gguf[:revision]}.
 *
 * @param repository {@code org/name}
 * @param revision branch, tag or commit
 * @param file path of a GGUF file in the repository; empty: none was named
 * @param quantization which of the GGUF files is meant; empty: none was named
 */
public record HubReference(String repository, String revision, String file, String quantization) {
  static final String DEFAULT_REVISION = "main";
  private static final Pattern FORM =
      Pattern.compile(
          "(?<repository>[\\w.-]{1,96}/[\\w.-]{1,96})(?:/(?<file>[^:]+\\.gguf))?(?::(?<rest>.+))?");

  /** How GGUF files are told apart: Q4_K_M, IQ4_XS, UD-Q2_K_XL, BF16, MXFP4_MOE. */
  private static final Pattern QUANTIZATION =
      Pattern.compile(
          "(?:UD-)?(?:I?Q\\d(?:_[0-9A-Z]+)+|TQ\\d_0|B?F16|F32|MXFP4(?:_MOE)?)",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern REVISION = Pattern.compile("[\\w.+-]+(?:/[\\w.+-]+)*");

  /** Empty if this is none. */
  public static Optional<HubReference> parse(String text) {
    var form = FORM.matcher(text);
    if (!form.matches() || !isName(form.group("repository"))) {
      return Optional.empty();
    }
    String file = form.group("file") == null ? "" : form.group("file");
    String rest = form.group("rest") == null ? "" : form.group("rest");
    boolean quantization = file.isEmpty() && QUANTIZATION.matcher(rest).matches();
    String revision = quantization || rest.isEmpty() ? DEFAULT_REVISION : rest;
    if (!REVISION.matcher(revision).matches()
        || revision.contains("..")
        || revision.startsWith(".")
        || (!file.isEmpty() && !RepositoryPath.isSafe(file))) {
      return Optional.empty();
    }
    return Optional.of(
        new HubReference(form.group("repository"), revision, file, quantization ? rest : ""));
  }

  /** A hub has neither of these, and cache folders would be ambiguous with the second. */
  private static boolean isName(String repository) {
    return !repository.endsWith(".gguf") // a file that is not there
        && !repository.contains("..")
        && !repository.contains("--")
        && repository.chars().filter(c -> c == '/').count() == 1
        && !repository.matches("(?:.*/)?[.-].*|.*[.-](?:/.*)?");
  }

  /** Whether it names a GGUF file, in either way. */
  public boolean namesGguf() {
    return !file.isEmpty() || !quantization.isEmpty();
  }

  /** What the model may be called: without its revision. */
  public String name() {
    if (!file.isEmpty()) {
      return repository + "/" + file;
    }
    return quantization.isEmpty() ? repository : repository + ":" + quantization;
  }

  @Override
  public String toString() {
    return revision.equals(DEFAULT_REVISION) ? name() : name() + ":" + revision;
  }
}
