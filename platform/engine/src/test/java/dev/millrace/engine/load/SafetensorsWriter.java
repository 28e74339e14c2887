package dev.millrace.engine.load;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.quant.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes small safetensors files for tests, right ones and wrong ones. */
public final class SafetensorsWriter {
  private final ObjectNode header = JsonNodeFactory.instance.objectNode();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();

  /** Adds a tensor of these bytes. */
  public SafetensorsWriter add(String name, DType type, byte[] bytes, long... shape) {
    ObjectNode entry = header.putObject(name).put("dtype", type.name());
    var sizes = entry.putArray("shape");
    for (long size : shape) {
      sizes.add(size);
    }
    entry.putArray("data_offsets").add(data.size()).add(data.size() + bytes.length);
    data.writeBytes(bytes);
    return this;
  }

  /** Adds a tensor of numbers, rounded to F32, BF16 or F16. */
  public SafetensorsWriter add(String name, DType type, float[] values, long... shape) {
    FloatCodec codec = FloatCodec.of(type);
    if (codec == null) {
      throw new IllegalArgumentException(type + " holds no plain floating-point numbers");
    }
    byte[] bytes = new byte[values.length * codec.bytes()];
    codec.encode(values, values.length, MemorySegment.ofArray(bytes), 0);
    return add(name, type, bytes, shape);
  }

  public void write(Path file) throws IOException {
    write(file, header.toString(), data.toByteArray());
  }

  /** Writes a file with any text as its header. */
  public static void write(Path file, String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    write(file, json.length, json, data);
  }

  /** Writes a file whose length field says anything. */
  static void write(Path file, long length, byte[] header, byte[] data) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + header.length + data.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(length)
            .put(header)
            .put(data);
    Files.write(file, bytes.array());
  }
}
