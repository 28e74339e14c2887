package dev.millrace.engine.quantize;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A safetensors file whose tensors are known before their contents are: it is mapped, and they are
 * filled in, in any order and by any thread. A tensor that is not filled in is zeros.
 *
 * @see <a href="https://github.com/huggingface/safetensors">safetensors</a>
 */
final class TensorFile implements AutoCloseable {
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Arena arena = Arena.ofShared();
  private final MemorySegment bytes;
  private final Map<String, MemorySegment> tensors = new HashMap<>();

  /**
   * Creates the file.
   *
   * @throws InferenceException {@code OUT_OF_MEMORY} if the disk does not hold it
   */
  TensorFile(Path file, List<PlannedTensor> planned) throws IOException {
    var header = JsonNodeFactory.instance.objectNode();
    header.putObject("__metadata__").put("format", "pt");
    long at = 0;
    for (var tensor : planned) {
      var entry = header.putObject(tensor.name()).put("dtype", tensor.dtype().name());
      var shape = entry.putArray("shape");
      tensor.shape().forEach(shape::add);
      long end = at + tensor.bytes();
      entry.putArray("data_offsets").add(at).add(end);
      at = end;
    }
    String text = header.toString();
    byte[] json = text.getBytes(StandardCharsets.UTF_8);
    int padded = Math.ceilDiv(json.length, 8) * 8;
    long start = 8L + padded;
    requireRoom(file, start + at);
    try (var channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, start + at, arena);
    } catch (IOException | RuntimeException e) {
      arena.close();
      throw e;
    }
    bytes.set(LENGTH, 0, padded);
    bytes.asSlice(8, padded).fill((byte) ' ');
    MemorySegment.copy(json, 0, bytes, ValueLayout.JAVA_BYTE, 8, json.length);
    for (var tensor : planned) {
      tensors.put(tensor.name(), bytes.asSlice(start, tensor.bytes()));
      start += tensor.bytes();
    }
  }

  /** Writing to a mapping beyond the end of the disk would end the process. */
  private static void requireRoom(Path file, long needed) throws IOException {
    long free = Files.getFileStore(Objects.requireNonNull(file.getParent())).getUsableSpace();
    if (needed > free) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "%s needs %,d MiB, its disk has %,d".formatted(file, needed >> 20, free >> 20));
    }
  }

  /** The bytes of a tensor, to be written. */
  MemorySegment tensor(String name) {
    return Objects.requireNonNull(tensors.get(name), name);
  }

  /** Has all that was written on the disk. */
  void force() {
    bytes.force();
  }

  @Override
  public void close() {
    arena.close();
  }
}
