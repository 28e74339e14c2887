package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Server-sent events over one response, each flushed as it is written. */
final class SseWriter {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final byte[] DATA = ascii("data: ");
  private static final byte[] END = ascii("\n\n");
  private static final byte[] DONE = ascii("data: [DONE]\n\n");
  private static final byte[] KEEP_ALIVE = ascii(": keep-alive\n\n");

  private final OutputStream out;

  SseWriter(OutputStream out) {
    this.out = out;
  }

  void event(ObjectNode json) throws IOException {
    out.write(DATA);
    out.write(MAPPER.writeValueAsBytes(json));
    out.write(END);
    out.flush();
  }

  /** A comment, which clients skip. */
  void keepAlive() throws IOException {
    out.write(KEEP_ALIVE);
    out.flush();
  }

  /** The end, as OpenAI marks it. */
  void done() throws IOException {
    out.write(DONE);
    out.flush();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
