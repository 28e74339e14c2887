package dev.millrace.server.admin;

import jakarta.servlet.http.HttpServletRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs who asked for which change, before it is tried. */
final class Audit {
  private static final Logger LOG = LoggerFactory.getLogger(Audit.class);

  private Audit() {}

  static void asked(HttpServletRequest http, String change) {
    LOG.info("admin: {} asks to {}", http.getRemoteAddr(), change.replaceAll("\\p{Cntrl}", "?"));
  }
}
