package dev.millrace.engine.plugin;

import java.nio.file.Path;
import org.pf4j.JarPluginLoader;
import org.pf4j.JarPluginManager;
import org.pf4j.PluginClassLoader;
import org.pf4j.PluginDescriptor;
import org.pf4j.PluginLoader;

/**
 * PF4J over plugin jars. Classes of the SPI always come from the host: a copy inside a jar would
 * make its providers strangers to us.
 */
final class JarManager extends JarPluginManager {
  private static final String SPI = "dev.millrace.spi.";

  JarManager(String spiVersion) {
    // without a system version PF4J ignores what a jar requires
    setSystemVersion(spiVersion);
  }

  @Override
  protected PluginLoader createPluginLoader() {
    return new JarPluginLoader(this) {
      @Override
      public ClassLoader loadPlugin(Path jar, PluginDescriptor descriptor) {
        var loader = new SpiFromParent(JarManager.this, descriptor);
        loader.addFile(jar.toFile());
        return loader;
      }
    };
  }

  /** A plugin-first class loader, but for the SPI. */
  private static final class SpiFromParent extends PluginClassLoader {
    SpiFromParent(JarManager manager, PluginDescriptor descriptor) {
      super(manager, descriptor, JarManager.class.getClassLoader());
    }

    @Override
    protected boolean shouldDelegateToParent(String className) {
      return className.startsWith(SPI) || super.shouldDelegateToParent(className);
    }
  }
}
