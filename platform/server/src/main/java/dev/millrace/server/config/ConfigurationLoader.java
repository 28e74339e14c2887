package dev.millrace.server.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.dropwizard.configuration.ConfigurationFactory;
import io.dropwizard.configuration.ConfigurationSourceProvider;
import jakarta.validation.Validator;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Makes the configuration from our defaults, a file and the flags, the later ones first. Whatever
 * is wrong with any of them is reported together.
 */
public final class ConfigurationLoader implements ConfigurationFactory<ServeConfiguration> {
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();

  private final ObjectMapper mapper;
  private final Validator validator;
  private final Map<String, Object> flags;

  /**
   * @param flags values given on the command line, by name of the setting: text or a list of texts
   */
  public ConfigurationLoader(ObjectMapper mapper, Validator validator, Map<String, Object> flags) {
    this.mapper = mapper;
    this.validator = validator;
    this.flags = flags;
  }

  @Override
  public ServeConfiguration build() throws IOException, ConfigurationProblems {
    return load("command line", YAML.createObjectNode());
  }

  @Override
  public ServeConfiguration build(ConfigurationSourceProvider provider, String path)
      throws IOException, ConfigurationProblems {
    var problems = new Problems();
    JsonNode tree = YAML.createObjectNode();
    try (var in = provider.open(path)) {
      tree = YAML.readTree(in);
    } catch (JsonProcessingException e) {
      problems.add("", "is not YAML: " + e.getOriginalMessage() + where(e));
    } catch (FileNotFoundException | NoSuchFileException _) {
      problems.add(path, "there is no such file");
    }
    if (tree.isMissingNode() || tree.isNull()) { // an empty file, or comments only
      tree = YAML.createObjectNode();
    }
    if (!(tree instanceof ObjectNode)) {
      problems.add("", "holds no map of keys and values");
    }
    problems.throwIfAny(path);
    return load(path, (ObjectNode) tree);
  }

  private ServeConfiguration load(String source, ObjectNode file)
      throws IOException, ConfigurationProblems {
    var problems = new Problems();
    Set<String> known =
        Keys.ALL.stream().map(Setting::name).collect(Collectors.toCollection(LinkedHashSet::new));
    known.add("server");
    known.add("logging");
    file.fieldNames()
        .forEachRemaining(name -> {
          if (!known.contains(name)) {
            problems.unknown(name, name, known);
          }
        });
    var settings = settings(file, problems);
    var configuration = dropwizard(file, settings, problems);
    problems.throwIfAny(source);
    configuration.setSettings(settings);
    return configuration;
  }

  private Settings settings(ObjectNode file, Problems problems) {
    var given = new HashMap<Setting<?>, Object>();
    for (var setting : Keys.ALL) {
      setting.read(setting.name(), file.get(setting.name()), given, problems);
      var flag = flags.get(setting.name());
      if (flag != null) {
        setting.read("--" + setting.name(), YAML.valueToTree(flag), given, problems);
      }
    }
    var settings = new Settings(given);
    int port = settings.get(Keys.PORT);
    if (port != 0 && port == settings.get(Keys.ADMIN_PORT)) {
      problems.add(Keys.ADMIN_PORT.name(), "is %d, as port is; they need one each".formatted(port));
    }
    return settings;
  }

  private ServeConfiguration dropwizard(ObjectNode file, Settings settings, Problems problems)
      throws IOException {
    var tree = (ObjectNode) defaults();
    for (var key : new String[] {"server", "logging"}) {
      switch (file.get(key)) {
        case null -> {}
        case ObjectNode node -> layer(tree.withObject("/" + key), node);
        case JsonNode node when node.isNull() -> {}
        case JsonNode node -> problems.add(key, "found " + node + ", expected keys and values");
      }
    }
    if (!"default".equals(tree.at("/server/type").asText())) {
      problems.add("server.type", "found %s, expected default".formatted(tree.at("/server/type")));
      return new ServeConfiguration();
    }
    place(tree, "applicationConnectors", "port", Keys.PORT, settings);
    place(tree, "applicationConnectors", "bindHost", Keys.HOST, settings);
    place(tree, "adminConnectors", "port", Keys.ADMIN_PORT, settings);

    var reader = mapper.copy().addHandler(new CollectingHandler(problems));
    try {
      var configuration = reader.treeToValue(tree, ServeConfiguration.class);
      for (var violation : validator.validate(configuration)) {
        problems.addUnlessSaid(violation.getPropertyPath().toString(), violation.getMessage());
      }
      return configuration;
    } catch (JsonMappingException e) {
      problems.add(path(e), e.getOriginalMessage());
      return new ServeConfiguration();
    }
  }

  /** Our setting goes to the first connector, unless only the file speaks, and of the connector. */
  private static void place(
      ObjectNode tree, String connectors, String key, Setting<?> setting, Settings settings) {
    if (tree.at("/server/" + connectors + "/0") instanceof ObjectNode connector
        && (settings.isGiven(setting) || !connector.has(key))) {
      connector.set(key, YAML.valueToTree(settings.get(setting)));
    }
  }

  /** Maps are joined, anything else is replaced. */
  private static void layer(ObjectNode below, ObjectNode above) {
    for (var entry : above.properties()) {
      if (entry.getValue() instanceof ObjectNode inner
          && below.get(entry.getKey()) instanceof ObjectNode existing) {
        layer(existing, inner);
      } else {
        below.set(entry.getKey(), entry.getValue());
      }
    }
  }

  private static JsonNode defaults() throws IOException {
    try (var in = ConfigurationLoader.class.getResourceAsStream("defaults.yml")) {
      return YAML.readTree(Objects.requireNonNull(in, "defaults.yml is not in the jar"));
    }
  }

  private static String path(JsonMappingException e) {
    return e.getPath().stream()
        .map(at -> at.getFieldName() != null ? at.getFieldName() : String.valueOf(at.getIndex()))
        .collect(Collectors.joining("."));
  }

  private static String where(JsonProcessingException e) {
    var at = e.getLocation();
    return at == null ? "" : " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr());
  }
}
