package dev.millrace.engine;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.LoadedModel;
import dev.millrace.engine.load.ModelLoader;
import dev.millrace.engine.load.StoredModel;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.engine.plugin.PluginUser;
import java.util.function.Consumer;

/**
 * A model that nobody talks to: it only tells what it would expect after each token of a text. Used
 * by the thread that opened it.
 */
public final class LogitReader implements AutoCloseable {
  private static final int BLOCK_SIZE = 16;

  private final PluginUser user;
  private final Device device;
  private final LoadedModel model;
  private final DeviceModel loaded;
  private final int longest;

  private LogitReader(
      PluginUser user, Device device, LoadedModel model, DeviceModel loaded, int longest) {
    this.user = user;
    this.device = device;
    this.model = model;
    this.loaded = loaded;
    this.longest = longest;
  }

  /**
   * Opens a model on a device, with room for one text.
   *
   * @param longest text in tokens; the model's own limit if that is less
   * @throws dev.millrace.spi.InferenceException saying why it cannot
   */
  public static LogitReader open(HostSettings settings, PluginCatalog plugins, int longest) {
    var user = plugins.user("texts read by " + settings.model().name());
    AutoCloseable opened = user;
    try {
      // not attached: that would bind the caller's thread to a core for good
      var device = Devices.open(settings);
      opened = closing(device, opened);
      var stored = StoredModel.open(settings.model().path());
      var model = ModelLoader.load(stored, settings.model(), user, device::arranged);
      opened = closing(model, opened);
      int limit = Math.min(longest, model.spec().maxContext());
      var kv = Devices.kvDtype(settings, device, model);
      var layout = new KvLayout(Math.ceilDiv(limit, BLOCK_SIZE), BLOCK_SIZE, kv);
      var loaded = device.load(model.model(), model.spec(), layout);
      return new LogitReader(user, device, model, loaded, limit);
    } catch (RuntimeException | Error e) {
      closeQuietly(opened, e);
      throw e;
    }
  }

  private static AutoCloseable closing(AutoCloseable first, AutoCloseable then) {
    return () -> {
      first.close();
      then.close();
    };
  }

  private static void closeQuietly(AutoCloseable opened, Throwable because) {
    try {
      opened.close();
    } catch (Exception e) {
      because.addSuppressed(e);
    }
  }

  public LoadedModel model() {
    return model;
  }

  /** The longest text, in tokens. */
  public int longest() {
    return longest;
  }

  /**
   * Reads a text.
   *
   * @param tokens at least one, at most {@link #longest}
   * @param logits called once for each token, in order, with what may follow it: [vocabulary],
   *     valid until it returns
   */
  public void read(int[] tokens, Consumer<float[]> logits) {
    if (tokens.length < 1 || tokens.length > longest) {
      throw new IllegalArgumentException(tokens.length + " tokens; there is room for " + longest);
    }
    int[] table = new int[Math.ceilDiv(tokens.length, BLOCK_SIZE)];
    for (int i = 0; i < table.length; i++) {
      table[i] = i;
    }
    var builder = new BatchBuilder();
    builder.addWhole(tokens, table, true);
    loaded.run(builder.batch());
    float[] row = new float[model.spec().vocabulary()];
    for (int i = 0; i < tokens.length; i++) {
      loaded.logits(i, row);
      logits.accept(row);
    }
  }

  @Override
  public void close() {
    loaded.close();
    model.close();
    device.close();
    user.close();
  }
}
