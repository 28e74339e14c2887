package dev.millrace.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;

/**
 * What a ready server says of its model: the name to ask for and the longest context in tokens
 * ({@link Integer#MAX_VALUE} if it does not say).
 */
public record ServerInfo(String model, int contextLimit) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Whether {@code GET /health} answers 200 now. */
  static boolean healthy(URI base) {
    try {
      var connection = open(base.resolve("/health"));
      try {
        return connection.getResponseCode() == 200;
      } finally {
        connection.disconnect();
      }
    } catch (IOException _) {
      return false;
    }
  }

  /** Reads the first entry of {@code GET /v1/models}. */
  public static ServerInfo ask(URI base) {
    var address = base.resolve("/v1/models");
    try (InputStream body = open(address).getInputStream()) {
      JsonNode model = JSON.readTree(body).path("data").path(0);
      if (!model.path("id").isTextual()) {
        throw new CompareException(address + " lists no model");
      }
      return new ServerInfo(
          model.path("id").asText(), model.path("max_model_len").asInt(Integer.MAX_VALUE));
    } catch (IOException e) {
      throw new CompareException("cannot read " + address + ": " + e.getMessage());
    }
  }

  private static HttpURLConnection open(URI address) throws IOException {
    var connection = (HttpURLConnection) address.toURL().openConnection();
    connection.setConnectTimeout(2_000);
    connection.setReadTimeout(10_000);
    return connection;
  }
}
