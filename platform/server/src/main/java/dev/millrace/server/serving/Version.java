package dev.millrace.server.serving;

/** The version of this program, from the manifest of its jar. */
public final class Version {
  public static final String TEXT = read();

  private Version() {}

  private static String read() {
    var version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }
}
