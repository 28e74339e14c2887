package dev.millrace.engine.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes GGUF files, whatever is asked for. */
final class GgufWriter {
  private static final int ALIGNMENT = 32;

  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final List<Entry> tensors = new ArrayList<>();
  int version = 3;
  @Nullable Long keyCount;
  @Nullable Long tensorCount;

  /**
   * A tensor as the header describes it.
   *
   * @param sides innermost first, as in the file
   */
  record Entry(String name, int type, long[] sides, @Nullable Long offset, byte[] bytes) {}

  /** A value that is written as these bytes, its type included. */
  record Raw(byte[] bytes) {}

  GgufWriter put(String key, Object value) {
    metadata.put(key, value);
    return this;
  }

  GgufWriter remove(String key) {
    metadata.remove(key);
    return this;
  }

  /** A tensor of zeros. */
  GgufWriter tensor(String name, GgufTensorType type, long... sides) {
    long elements = 1;
    for (long side : sides) {
      elements *= side;
    }
    int number = number(type);
    return add(
        new Entry(
            name,
            number,
            sides,
            null,
            new byte[(int) (elements / type.elements() * type.bytes())]));
  }

  GgufWriter floats(String name, float[] values, long... sides) {
    var bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return add(new Entry(name, 0, sides, null, bytes.array()));
  }

  GgufWriter add(Entry entry) {
    tensors.add(entry);
    return this;
  }

  private static int number(GgufTensorType type) {
    int number = 0;
    while (GgufTensorType.of(number) != type) {
      number++;
    }
    return number;
  }

  byte[] bytes() {
    var out = new Out();
    out.write("GGUF".getBytes(StandardCharsets.US_ASCII));
    out.int32(version);
    out.int64(tensorCount == null ? tensors.size() : tensorCount);
    out.int64(keyCount == null ? metadata.size() : keyCount);
    metadata.forEach((key, value) -> {
      out.text(key);
      out.typed(value);
    });
    long offset = 0;
    var data = new Out();
    for (var tensor : tensors) {
      out.text(tensor.name());
      out.int32(tensor.sides().length);
      for (long side : tensor.sides()) {
        out.int64(side);
      }
      out.int32(tensor.type());
      out.int64(tensor.offset() == null ? offset : tensor.offset());
      data.write(tensor.bytes());
      data.pad();
      offset = data.size();
    }
    out.pad();
    out.write(data.toByteArray());
    return out.toByteArray();
  }

  Path write(Path file) {
    try {
      return Files.write(file, bytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Bytes, little-endian. */
  static final class Out extends ByteArrayOutputStream {
    @Override
    public void write(byte[] bytes) {
      write(bytes, 0, bytes.length);
    }

    void int32(int value) {
      write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    void int64(long value) {
      write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    void text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      int64(utf8.length);
      write(utf8);
    }

    void pad() {
      while (size() % ALIGNMENT != 0) {
        write(0);
      }
    }

    private void typed(Object value) {
      switch (value) {
        case Raw(byte[] bytes) -> write(bytes);
        case List<?> list -> {
          int32(9);
          int32(list.isEmpty() ? 8 : type(list.getFirst()));
          int64(list.size());
          list.forEach(this::plain);
        }
        default -> {
          int32(type(value));
          plain(value);
        }
      }
    }

    private static int type(Object value) {
      return switch (value) {
        case Integer _ -> 4;
        case Float _ -> 6;
        case Boolean _ -> 7;
        case String _ -> 8;
        case Long _ -> 11;
        default -> throw new IllegalArgumentException(value.toString());
      };
    }

    private void plain(Object value) {
      switch (value) {
        case Integer number -> int32(number);
        case Float number -> int32(Float.floatToRawIntBits(number));
        case Boolean flag -> write(flag ? 1 : 0);
        case String text -> text(text);
        case Long number -> int64(number);
        default -> throw new IllegalArgumentException(value.toString());
      }
    }
  }
}
