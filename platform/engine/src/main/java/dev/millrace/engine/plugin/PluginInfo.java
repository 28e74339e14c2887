package dev.millrace.engine.plugin;

import java.util.List;

/**
 * A loaded plugin, for people.
 *
 * @param jar the name of its file
 * @param models architectures it serves
 * @param usedBy who holds something of it; it can be unloaded while nobody does
 */
public record PluginInfo(
    String id,
    String version,
    String jar,
    List<String> models,
    List<String> quantizers,
    List<String> schedulers,
    List<String> usedBy) {
  public PluginInfo {
    models = List.copyOf(models);
    quantizers = List.copyOf(quantizers);
    schedulers = List.copyOf(schedulers);
    usedBy = List.copyOf(usedBy);
  }
}
