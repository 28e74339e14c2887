package dev.millrace.engine.plugin;

import java.nio.file.Path;
import org.pf4j.JarPluginLoader;
import org.pf4j.JarPluginManager;
import org.pf4j.PluginClassLoader;
import org.pf4j.PluginDescriptor;
import org.pf4j.PluginLoader;
import org.pf4j.PluginRuntimeException;
import org.pf4j.PluginStatusProvider;

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
  protected void validatePluginDescriptor(PluginDescriptor descriptor) {
    super.validatePluginDescriptor(descriptor);
    String range = descriptor.getRequires();
    try {
      getVersionManager().checkVersionConstraint(getSystemVersion(), range);
    } catch (RuntimeException e) { // the parser's own
      throw new PluginRuntimeException(
          e, "Plugin-Requires: {} is no range of versions; >=0.1.0 & <0.2.0 is one", range);
    }
  }

  /** All jars are on: PF4J would look for a list in the working directory. */
  @Override
  protected PluginStatusProvider createPluginStatusProvider() {
    return new PluginStatusProvider() {
      @Override
      public boolean isPluginDisabled(String id) {
        return false;
      }

      @Override
      public void disablePlugin(String id) {
        throw new PluginRuntimeException("plugin {} is unloaded, not disabled", id);
      }

      @Override
      public void enablePlugin(String id) {
        // it is
      }
    };
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
