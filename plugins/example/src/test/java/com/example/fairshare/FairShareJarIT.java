package com.example.fairshare;

import dev.millrace.testkit.PluginJarContract;
import java.nio.file.Path;

class FairShareJarIT extends PluginJarContract {
  @Override
  protected Path jar() {
    return Path.of(System.getProperty("plugin.jar"));
  }
}
