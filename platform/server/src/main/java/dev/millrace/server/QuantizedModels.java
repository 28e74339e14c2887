package dev.millrace.server;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.cpu.NativeDevice;
import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.load.ModelLoader;
import dev.millrace.engine.load.ModelSettings;
import dev.millrace.engine.load.StoredModel;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.engine.quantize.ModelQuantizer;
import dev.millrace.engine.quantize.QuantizeListener;
import dev.millrace.engine.quantize.QuantizeSettings;
import dev.millrace.engine.quantize.QuantizedFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** A model in formats of 4 bits, so that a rehearsal sees how such are read and packed. */
final class QuantizedModels {
  private static final List<QuantizedFormat> FORMATS =
      List.of(QuantizedFormat.INT4, QuantizedFormat.GPTQ, QuantizedFormat.AWQ);

  /** What divides the columns of any small model. */
  private static final int GROUP = 16;

  private QuantizedModels() {}

  /** Writes one of each, loads it, and forgets it. */
  static void open(Path model, Path pluginFolder) throws IOException {
    try (var plugins = PluginCatalog.open(pluginFolder)) {
      for (var format : FORMATS) {
        open(model, format, plugins);
      }
    }
  }

  private static void open(Path model, QuantizedFormat format, PluginCatalog plugins)
      throws IOException {
    var folder = Files.createTempDirectory("millrace-rehearsal");
    var target = folder.resolve("model");
    try {
      ModelQuantizer.run(settings(model, target, format), plugins, QuantizeListener.NONE);
      load(target, plugins);
    } finally {
      delete(folder);
    }
  }

  private static QuantizeSettings settings(Path model, Path target, QuantizedFormat format) {
    return new QuantizeSettings(model, target, format, GROUP, List.of(), null, 1, 2, 0.01, true, 2);
  }

  private static void load(Path model, PluginCatalog plugins) {
    var settings =
        new ModelSettings(
            "rehearsal", model, "", Map.of(), DtypeChoice.of("auto"), LoadFormat.AUTO, 0);
    try (var user = plugins.user("rehearsal");
        var device = device()) {
      ModelLoader.load(StoredModel.open(model), settings, user, device::arranged).close();
    }
  }

  /** The one that a server would have, on one thread. */
  private static Device device() {
    var sets = NativeLibrary.sets();
    return sets.isEmpty() ? new VectorDevice(1) : new NativeDevice(sets.getFirst(), 1);
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
