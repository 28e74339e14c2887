package dev.millrace.server.openai;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.internal.HttpConnection;
import org.eclipse.jetty.util.BufferUtil;

/**
 * Tells whether the client of a request has left while nothing is written to it, which the server
 * alone does not notice: it reads ahead on the connection. Only for HTTP/1, whose client has
 * nothing to say until it is answered; to be asked after the body was read, by one thread.
 */
final class ClientWatch {
  private final Connection connection;
  private final ByteBuffer scratch = BufferUtil.allocate(256);

  private ClientWatch(Connection connection) {
    this.connection = connection;
  }

  static ClientWatch of(HttpServletRequest request) {
    var jetty = ServletContextRequest.getServletContextRequest(request);
    return new ClientWatch(jetty.getConnectionMetaData().getConnection());
  }

  boolean gone() {
    if (!(connection instanceof HttpConnection http)) {
      return !connection.getEndPoint().isOpen();
    }
    BufferUtil.clear(scratch);
    try {
      int read = http.getEndPoint().fill(scratch);
      if (read > 0) {
        // a request sent ahead, which is lost now: the client must send it again
        http.getGenerator().setPersistent(false);
      }
      return read < 0;
    } catch (IOException _) {
      return true;
    }
  }
}
