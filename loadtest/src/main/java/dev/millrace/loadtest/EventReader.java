package dev.millrace.loadtest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Splits a body into server-sent events. Lines may end with LF, CR or CR LF; several data lines are
 * one event; comments and other fields are passed over. For one thread.
 */
final class EventReader {
  private static final int LONGEST_LINE = 1 << 20;

  /** The data of one event and when its last byte came from the socket. */
  record Event(String data, long stamp) {}

  private final ResponseBody body;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
  private boolean afterCarriageReturn;

  EventReader(ResponseBody body) {
    this.body = body;
  }

  /** The next event that carries data, or null at the end of the body. */
  @Nullable Event next() throws IOException {
    StringBuilder data = null;
    while (readLine()) {
      if (line.size() == 0) {
        if (data != null) {
          return new Event(data.toString(), body.stamp());
        }
      } else {
        String field = line.toString(StandardCharsets.UTF_8);
        if (field.startsWith("data:")) {
          data = data == null ? new StringBuilder() : data.append('\n');
          data.append(field, field.startsWith("data: ") ? 6 : 5, field.length());
        }
      }
    }
    return null;
  }

  /** Reads one line; false at the end, where a line that never ended is dropped. */
  private boolean readLine() throws IOException {
    line.reset();
    while (true) {
      int b = body.read();
      if (b == '\n' && afterCarriageReturn) {
        afterCarriageReturn = false;
        continue;
      }
      afterCarriageReturn = b == '\r';
      if (b < 0) {
        return false;
      }
      if (b == '\n' || b == '\r') {
        return true;
      }
      if (line.size() == LONGEST_LINE) {
        throw new ProtocolException("a line of an event passes " + LONGEST_LINE + " bytes");
      }
      line.write(b);
    }
  }
}
