package dev.millrace.server.admin;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.core.Context;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * On a loopback address, refuses requests that were meant for another host: a page in a browser on
 * this machine may have a name that resolves to us (DNS rebinding).
 */
final class LocalOnly implements ContainerRequestFilter {
  @Context private @Nullable HttpServletRequest http;

  @Override
  public void filter(ContainerRequestContext request) {
    var connection = Objects.requireNonNull(http, "injected");
    var name = connection.getServerName();
    if (isLoopback(connection.getLocalAddr()) && !name.equals("localhost") && !isAddress(name)) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "the admin port is asked as localhost, not as " + name);
    }
  }

  private static boolean isLoopback(String address) {
    try {
      return InetAddress.getByName(address).isLoopbackAddress(); // no name: nothing is looked up
    } catch (UnknownHostException _) {
      return false;
    }
  }

  private static boolean isAddress(String name) {
    return name.matches("[0-9.]+|\\[?[0-9a-fA-F:.]+]?");
  }
}
