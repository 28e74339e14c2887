package dev.millrace.engine.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Parses what comes before the tensors of a GGUF file of version 2 or 3, and checks it against the
 * file before anyone uses it.
 */
final class GgufHeader {
  private static final int MAGIC = 0x46554747; // GGUF
  private static final int MOST_KEYS = 1 << 16;
  private static final int MOST_TENSORS = 1 << 20;
  private static final int MOST_DIMENSIONS = 4;
  private static final int LEAST_KEY = 13; // bytes
  private static final int LEAST_TENSOR = 24;
  private static final String ALIGNMENT = "general.alignment";
  private static final int USUAL_ALIGNMENT = 32;

  private final Path path;
  private final MemorySegment file;
  private final GgufCursor cursor;
  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final SequencedMap<String, GgufTensor> tensors = new LinkedHashMap<>();

  private GgufHeader(Path path, MemorySegment file) {
    this.path = path;
    this.file = file;
    this.cursor = new GgufCursor(path, file);
  }

  /**
   * The contents of a file.
   *
   * @throws dev.millrace.spi.InferenceException {@code INVALID_CHECKPOINT} naming the file and the
   *     key or tensor
   */
  static GgufFile parse(Path path, MemorySegment file) {
    return new GgufHeader(path, file).parse();
  }

  private GgufFile parse() {
    if (file.byteSize() < Integer.BYTES || cursor.readInt("the magic number") != MAGIC) {
      throw cursor.damaged("is not a GGUF file: it does not begin with GGUF");
    }
    int version = cursor.readInt("the version");
    if (version != 2 && version != 3) {
      throw cursor.damaged(
          "has GGUF version %s; known are 2 and 3, little-endian"
              .formatted(Integer.toUnsignedString(version)));
    }
    int count = cursor.readCount("the number of tensors", MOST_TENSORS, LEAST_TENSOR);
    int keys = cursor.readCount("the number of metadata keys", MOST_KEYS, LEAST_KEY);
    var values = new GgufValueReader(cursor);
    for (int i = 0; i < keys; i++) {
      String key = cursor.readText("the name of metadata key " + i);
      if (metadata.putIfAbsent(key, values.read(key)) != null) {
        throw cursor.damaged("has the metadata key " + key + " twice");
      }
    }
    long alignment = alignment();
    for (int i = 0; i < count; i++) {
      GgufTensor tensor = tensor(i, alignment);
      if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
        throw cursor.damaged("has the tensor " + tensor.name() + " twice");
      }
    }
    long data = Math.ceilDiv(cursor.position(), alignment) * alignment;
    tensors.replaceAll((_, tensor) -> placed(tensor, data));
    checkOverlaps();
    return new GgufFile(path, new GgufMetadata(path, metadata), tensors);
  }

  private long alignment() {
    if (!metadata.containsKey(ALIGNMENT)) {
      return USUAL_ALIGNMENT;
    }
    if (metadata.get(ALIGNMENT) instanceof GgufValue.Whole(long value)
        && value >= 1
        && value <= 1 << 20
        && Long.bitCount(value) == 1) {
      return value;
    }
    throw cursor.damaged(
        "has %s %s; it must be a power of 2 up to 2^20"
            .formatted(ALIGNMENT, metadata.get(ALIGNMENT).shown()));
  }

  /** A tensor with its offset as the file gives it, from the beginning of the data. */
  private GgufTensor tensor(int index, long alignment) {
    String name = cursor.readText("the name of tensor " + index);
    int dimensions = cursor.readInt("the dimensions of " + name);
    if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
      throw cursor.damaged(
          "gives %s %s dimensions; it can have 1 to %d"
              .formatted(name, Integer.toUnsignedString(dimensions), MOST_DIMENSIONS));
    }
    var shape = new ArrayList<Long>();
    for (int i = 0; i < dimensions; i++) {
      long size = cursor.readLong("the shape of " + name);
      if (size < 0) {
        throw cursor.damaged("gives %s a side of %s".formatted(name, Long.toUnsignedString(size)));
      }
      shape.addFirst(size);
    }
    int number = cursor.readInt("the type of " + name);
    GgufTensorType type = GgufTensorType.of(number);
    if (type == null) {
      throw cursor.damaged(
          "gives %s the type %s, which is unknown"
              .formatted(name, Integer.toUnsignedString(number)));
    }
    long offset = cursor.readLong("the offset of " + name);
    if (offset < 0 || offset % alignment != 0) {
      throw cursor.damaged(
          "puts %s at offset %s, no multiple of the alignment %d"
              .formatted(name, Long.toUnsignedString(offset), alignment));
    }
    return new GgufTensor(name, type, shape, offset, bytes(name, type, shape));
  }

  private long bytes(String name, GgufTensorType type, List<Long> shape) {
    if (shape.getLast() % type.elements() != 0) {
      throw cursor.damaged(
          "has %s of shape %s in %s, whose blocks have %d elements"
              .formatted(name, shape, type, type.elements()));
    }
    try {
      long rows = 1;
      for (long size : shape.subList(0, shape.size() - 1)) {
        rows = Math.multiplyExact(rows, size);
      }
      long row = Math.multiplyExact(shape.getLast() / type.elements(), (long) type.bytes());
      return Math.multiplyExact(rows, row);
    } catch (ArithmeticException _) {
      throw cursor.damaged("gives " + name + " the shape " + shape + ", more than 2^63 bytes");
    }
  }

  private GgufTensor placed(GgufTensor tensor, long data) {
    long room = file.byteSize() - data - tensor.begin();
    if (data > file.byteSize() || room < tensor.bytes()) {
      throw cursor.damaged(
          "has %d bytes; %s needs %d at offset %d of the data, which begins at %d: it may be cut"
                  .formatted(file.byteSize(), tensor.name(), tensor.bytes(), tensor.begin(), data)
              + " off, fetch it again");
    }
    return new GgufTensor(
        tensor.name(), tensor.type(), tensor.shape(), data + tensor.begin(), tensor.bytes());
  }

  private void checkOverlaps() {
    var filled =
        tensors.values().stream()
            .filter(tensor -> tensor.bytes() > 0)
            .sorted(Comparator.comparingLong(GgufTensor::begin))
            .toList();
    for (int i = 1; i < filled.size(); i++) {
      GgufTensor before = filled.get(i - 1);
      GgufTensor tensor = filled.get(i);
      if (tensor.begin() < before.begin() + before.bytes()) {
        throw cursor.damaged("has %s inside %s".formatted(tensor.name(), before.name()));
      }
    }
  }
}
