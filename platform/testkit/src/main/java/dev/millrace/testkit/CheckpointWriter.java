package dev.millrace.testkit;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.millrace.spi.quant.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Writes safetensors files for the contracts. */
public final class CheckpointWriter {
  private CheckpointWriter() {}

  /**
   * A tensor to write.
   *
   * @param bytes its elements, row-major, little-endian
   */
  public record Tensor(DType dtype, int[] shape, byte[] bytes) {}

  /** Writes one file of all tensors, in the order of the map. */
  public static void write(Path file, Map<String, Tensor> tensors) throws IOException {
    var header = JsonNodeFactory.instance.objectNode();
    var data = new ByteArrayOutputStream();
    tensors.forEach((name, tensor) -> {
      var entry = header.putObject(name).put("dtype", tensor.dtype.name());
      var shape = entry.putArray("shape");
      for (int size : tensor.shape) {
        shape.add(size);
      }
      var offsets = entry.putArray("data_offsets").add(data.size());
      data.writeBytes(tensor.bytes);
      offsets.add(data.size());
    });
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    try (var out = Files.newOutputStream(file)) {
      var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length);
      out.write(length.array());
      out.write(json);
      data.writeTo(out);
    }
  }
}
