package dev.millrace.server.openai;

import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.component.LifeCycle;
import org.jspecify.annotations.Nullable;

/**
 * The error body for what never reaches a resource, such as malformed HTTP or headers that are too
 * long; takes its place when the server starts.
 */
public final class ConnectorErrors extends ErrorHandler implements LifeCycle.Listener {

  @Override
  public void lifeCycleStarting(LifeCycle event) {
    if (event instanceof Server server) {
      server.setErrorHandler(this);
    }
  }

  @Override
  protected void generateResponse(
      Request request,
      Response response,
      int code,
      @Nullable String message,
      @Nullable Throwable cause,
      Callback callback) {
    var error =
        code == 500
            ? ApiError.internal()
            : ApiError.request(code, message == null ? "the request is not valid HTTP" : message);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
    var body = error.json().toString().getBytes(StandardCharsets.UTF_8);
    response.write(true, BufferUtil.toBuffer(body), callback);
  }
}
