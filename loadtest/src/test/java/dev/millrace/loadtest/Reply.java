package dev.millrace.loadtest;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;

/** Writes the answer of a {@link ScriptedServer}, well-formed or not. */
final class Reply {
  private final OutputStream out;

  Reply(OutputStream out) {
    this.out = out;
  }

  /** The events of a right answer, without any framing. */
  static String events(JsonNode request) {
    int tokens = request.path("max_tokens").asInt();
    var all = new StringBuilder();
    for (int i = 0; i < tokens; i++) {
      all.append(text("é" + i));
    }
    return all + finish() + usage(request.path("prompt").size(), tokens) + done();
  }

  static String text(String text) {
    return "data: {\"choices\":[{\"index\":0,\"text\":\"" + text + "\"}],\"usage\":null}\n\n";
  }

  static String finish() {
    return "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}],\"usage\":null}\n\n";
  }

  static String usage(int prompt, int completion) {
    return "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\n"
        .formatted(prompt, completion);
  }

  static String done() {
    return "data: [DONE]\n\n";
  }

  void raw(String text) throws IOException {
    out.write(ScriptedServer.bytes(text));
    out.flush();
  }

  /** The head of an event stream with one more header field. */
  void head(String field) throws IOException {
    raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + field + "\r\n\r\n");
  }

  void chunked() throws IOException {
    head("Transfer-Encoding: chunked");
  }

  void chunk(String text) throws IOException {
    chunk(ScriptedServer.bytes(text));
  }

  /** The bytes as one chunk; they need not be whole characters. */
  void chunk(byte[] bytes) throws IOException {
    raw(Integer.toHexString(bytes.length) + "\r\n");
    out.write(bytes);
    raw("\r\n");
  }

  void lastChunk() throws IOException {
    raw("0\r\n\r\n");
  }

  /** A right and prompt answer. */
  void whole(JsonNode request) throws IOException {
    chunked();
    chunk(events(request));
    lastChunk();
  }
}
