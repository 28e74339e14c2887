package dev.millrace.testkit;

import dev.millrace.spi.SchedulerPlugin;

/** The least a plugin's class loader may count on: the JDK and the SPI. */
final class SpiOnly extends ClassLoader {
  private static final String SPI = "dev.millrace.spi.";

  SpiOnly() {
    super("spi", ClassLoader.getPlatformClassLoader());
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    if (name.startsWith(SPI)) {
      return SchedulerPlugin.class.getClassLoader().loadClass(name);
    }
    throw new ClassNotFoundException(name + " is neither the plugin's own, nor SPI or JDK");
  }
}
