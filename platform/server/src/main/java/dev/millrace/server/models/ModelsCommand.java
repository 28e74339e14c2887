package dev.millrace.server.models;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.hub.CachedRevision;
import dev.millrace.engine.hub.Extent;
import dev.millrace.engine.hub.Hub;
import dev.millrace.engine.hub.HubReference;
import dev.millrace.engine.hub.HubSettings;
import dev.millrace.engine.hub.ModelCache;
import dev.millrace.engine.hub.PullListener;
import dev.millrace.engine.hub.PullProgress;
import dev.millrace.engine.hub.VerifiedFile;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.jspecify.annotations.Nullable;

/** {@code models}: what the hub's cache holds, and what is brought there, removed and checked. */
public final class ModelsCommand extends Command {
  private final PrintWriter out;
  private final PullListener listener;
  private final Map<String, String> environment;

  public ModelsCommand(PrintWriter out, PullListener listener) {
    this(out, listener, System.getenv());
  }

  ModelsCommand(PrintWriter out, PullListener listener, Map<String, String> environment) {
    super("models", "list, pull, remove and verify models of a hub");
    this.out = out;
    this.listener = listener;
    this.environment = environment;
  }

  private enum Action {
    LIST("what the cache holds, with sizes, revisions and last use"),
    PULL("bring a model into the cache: ORG/NAME[:REVISION|:QUANTIZATION] or ORG/NAME/FILE.gguf"),
    REMOVE("remove a model from the cache, or only the REVISION or file that is named"),
    VERIFY("hash what the cache holds of a model, or of all");

    private final String help;

    Action(String help) {
      this.help = help;
    }

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Override
  public void configure(Subparser subparser) {
    var actions = subparser.addSubparsers().title("actions").metavar("ACTION").dest("action");
    for (var action : Action.values()) {
      var parser = actions.addParser(action.word()).help(action.help).description(action.help);
      parser.setDefault("does", action);
      parser
          .addArgument("--json")
          .action(Arguments.storeTrue())
          .help("write one JSON object, for programs");
      if (action == Action.VERIFY) {
        parser
            .addArgument("--drop")
            .action(Arguments.storeTrue())
            .help("remove what is damaged, so that the next pull fetches it anew");
      }
      if (action != Action.LIST) {
        var model = parser.addArgument("model").metavar("MODEL");
        if (action == Action.VERIFY) {
          model.nargs("?");
        }
      }
    }
  }

  @Override
  public void run(@Nullable Bootstrap<?> bootstrap, Namespace namespace) throws Exception {
    var settings = HubSettings.of(environment);
    var cache = new ModelCache(settings.cache());
    boolean json = namespace.getBoolean("json");
    String model = namespace.getString("model");
    switch (namespace.<Action>get("does")) {
      case LIST -> list(cache, settings.cache(), json);
      case PULL -> pull(settings, reference(model), json);
      case REMOVE -> remove(cache, model, json);
      case VERIFY -> verify(cache, model, namespace.getBoolean("drop"), json);
    }
  }

  private static HubReference reference(String model) {
    return HubReference.parse(model)
        .orElseThrow(() ->
            new InferenceException(
                ErrorCode.UNKNOWN_CHECKPOINT,
                model
                    + " is no name of a hub's model: ORG/NAME, ORG/NAME:REVISION,"
                    + " ORG/NAME:QUANTIZATION or ORG/NAME/FILE.gguf"));
  }

  private void list(ModelCache cache, Path folder, boolean json) {
    var revisions = cache.list();
    if (!json) {
      new ModelsTable(out).print(folder, revisions);
      return;
    }
    var object = object().put("cache", folder.toString());
    var models = object.putArray("models");
    for (var revision : revisions) {
      var one = describe(models.addObject(), revision);
      var names = one.putArray("revisions");
      revision.revisions().forEach(names::add);
      one.put("bytes", revision.bytes())
          .put("last_used", revision.lastUsed().toString())
          .put("servable", revision.servable())
          .put("path", revision.folder().toString());
      var files = one.putArray("files");
      revision.files().forEach(files::add);
    }
    out.println(object);
  }

  private static ObjectNode describe(ObjectNode object, CachedRevision revision) {
    return object.put("model", revision.repository()).put("commit", revision.commit());
  }

  private void pull(HubSettings settings, HubReference wanted, boolean json) {
    try (var hub = new Hub(settings)) {
      var path = hub.pull(wanted, Extent.ALL, listener);
      out.println(
          json
              ? object().put("model", wanted.toString()).put("path", path.toString())
              : path.toString());
    }
  }

  private void remove(ModelCache cache, String model, boolean json) {
    var wanted = reference(model);
    long freed = model.equals(wanted.repository()) ? cache.remove(model) : cache.remove(wanted);
    out.println(
        json
            ? object().put("model", model).put("freed_bytes", freed)
            : "removed %s, %s are free now".formatted(model, PullProgress.size(freed)));
  }

  private void verify(ModelCache cache, @Nullable String model, boolean drop, boolean json)
      throws InterruptedException {
    var wanted = model == null ? null : reference(model).repository();
    var revisions =
        cache.list().stream()
            .filter(revision -> wanted == null || revision.repository().equals(wanted))
            .toList();
    if (wanted != null && revisions.isEmpty()) {
      throw new InferenceException(ErrorCode.UNKNOWN_CHECKPOINT, wanted + " is not in the cache");
    }
    var object = object();
    var models = object.putArray("models");
    int wrong = 0;
    for (var revision : revisions) {
      wrong += verify(cache, revision, drop, json ? models : null);
    }
    if (json) {
      out.println(object.put("wrong", wrong));
    }
    if (wrong > 0) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          wrong
              + (wrong == 1 ? " file is damaged or missing" : " files are damaged or missing")
              + (drop
                  ? "; it is removed, and the next pull fetches it anew"
                  : "; --drop removes them, and the next pull fetches them anew"));
    }
  }

  /** How many contents are wrong. */
  private int verify(
      ModelCache cache, CachedRevision revision, boolean drop, @Nullable ArrayNode models)
      throws InterruptedException {
    var files = new ArrayList<VerifiedFile>();
    if (models == null) {
      out.println(revision.repository() + " " + revision.commit());
    }
    cache.verify(
        revision,
        drop,
        file -> {
          files.add(file);
          if (models == null) {
            out.printf("  %-8s %s%n", word(file), file.path());
          }
        });
    if (models != null) {
      var array = describe(models.addObject(), revision).putArray("files");
      for (var file : files) {
        array
            .addObject()
            .put("path", file.path())
            .put("result", word(file))
            .put("blob", file.blob().toString());
      }
    }
    return (int) files.stream().filter(VerifiedFile::wrong).count();
  }

  private static String word(VerifiedFile file) {
    return file.result().name().toLowerCase(Locale.ROOT);
  }

  private static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }
}
