package dev.millrace.engine.load;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Parses the header of a safetensors file and checks it against the file before anyone uses it. */
final class SafetensorsHeader {
  private final Path file;
  private final long dataBytes;
  private final Map<String, TensorEntry> entries = new LinkedHashMap<>();

  private SafetensorsHeader(Path file, long dataBytes) {
    this.file = file;
    this.dataBytes = dataBytes;
  }

  /**
   * The tensors of a header, in its order.
   *
   * @param dataBytes bytes of the file after the header
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming the file and the tensor
   */
  static List<TensorEntry> parse(Path file, byte[] json, long dataBytes) {
    var header = new SafetensorsHeader(file, dataBytes);
    try (JsonParser parser = JsonFile.parser(json)) {
      header.read(parser);
    } catch (IOException e) {
      throw JsonFile.unreadable(file, e);
    }
    header.checkOverlaps();
    return List.copyOf(header.entries.values());
  }

  private void read(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw damaged("its header is not a JSON object");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals("__metadata__")) {
        parser.skipChildren();
      } else if (entries.putIfAbsent(name, entry(name, parser.readValueAsTree())) != null) {
        throw damaged(name + " is there twice");
      }
    }
    if (parser.nextToken() != null) {
      throw damaged("its header goes on after the JSON object");
    }
  }

  private TensorEntry entry(String name, JsonNode node) {
    List<Long> offsets = longs(name, node, "data_offsets");
    if (offsets.size() != 2) {
      throw damaged(name + " has data_offsets " + offsets + " instead of [begin, end]");
    }
    try {
      var entry =
          new TensorEntry(
              name,
              dtype(name, node.path("dtype")),
              longs(name, node, "shape"),
              offsets.getFirst(),
              offsets.getLast());
      if (entry.end() > dataBytes) {
        throw damaged(
            "%s ends at byte %d of the data, of which the file has %d; it may be cut off: fetch it"
                    .formatted(name, entry.end(), dataBytes)
                + " again");
      }
      return entry;
    } catch (IllegalArgumentException e) {
      throw damaged(name + " has " + e.getMessage());
    }
  }

  private DType dtype(String name, JsonNode node) {
    for (DType type : DType.values()) {
      if (type.name().equals(node.textValue())) {
        return type;
      }
    }
    throw damaged(
        name
            + " has dtype "
            + JsonFile.shown(node)
            + "; known: "
            + Arrays.toString(DType.values()));
  }

  private List<Long> longs(String name, JsonNode entry, String key) {
    JsonNode array = entry.path(key);
    if (!array.isArray()) {
      throw damaged(name + " has no array " + key);
    }
    List<Long> values = new ArrayList<>(array.size());
    for (JsonNode value : array) {
      if (!value.isIntegralNumber() || !value.canConvertToLong()) {
        throw damaged(
            name + " has " + JsonFile.shown(value) + " in " + key + ", not a 64-bit whole number");
      }
      values.add(value.longValue());
    }
    return values;
  }

  private void checkOverlaps() {
    List<TensorEntry> filled =
        entries.values().stream()
            .filter(entry -> entry.end() > entry.begin())
            .sorted(Comparator.comparingLong(TensorEntry::begin))
            .toList();
    for (int i = 1; i < filled.size(); i++) {
      TensorEntry before = filled.get(i - 1);
      TensorEntry entry = filled.get(i);
      if (entry.begin() < before.end()) {
        throw damaged(
            "%s begins at byte %d of the data, inside %s, which ends at %d"
                .formatted(entry.name(), entry.begin(), before.name(), before.end()));
      }
    }
  }

  private InferenceException damaged(String what) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, file + ": " + what);
  }
}
