package dev.millrace.engine.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The files of a repository at one commit, as {@code /api/models/REPOSITORY/revision/REVISION}
 * tells them.
 *
 * @param files their paths, all of which stay inside the repository
 */
record RepositoryListing(String commit, List<String> files) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  RepositoryListing {
    files = List.copyOf(files);
  }

  static boolean isCommit(String revision) {
    return COMMIT.matcher(revision).matches();
  }

  /**
   * Reads an answer.
   *
   * @param source whose answer it is, for messages
   */
  static RepositoryListing parse(byte[] json, String source) {
    JsonNode answer;
    try {
      answer = MAPPER.readTree(json);
    } catch (IOException e) {
      throw strange(source, "JSON");
    }
    String commit = answer.path("sha").asText();
    if (!isCommit(commit)) {
      throw strange(source, "the id of a commit");
    }
    var files = new ArrayList<String>();
    for (JsonNode sibling : answer.path("siblings")) {
      files.add(RepositoryPath.checked(sibling.path("rfilename").asText(), source));
    }
    return new RepositoryListing(commit, files);
  }

  private static InferenceException strange(String source, String missing) {
    return new InferenceException(
        ErrorCode.HUB_UNAVAILABLE,
        source + " did not answer as a hub does: no " + missing + "; is HF_ENDPOINT right?");
  }
}
