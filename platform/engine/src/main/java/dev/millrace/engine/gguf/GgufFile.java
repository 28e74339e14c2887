package dev.millrace.engine.gguf;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Collections;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * One GGUF file, parsed and checked; nothing of it stays mapped.
 *
 * @param byName the tensors, in the order of the file
 */
record GgufFile(Path path, GgufMetadata metadata, SequencedMap<String, GgufTensor> byName) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  Collection<GgufTensor> tensors() {
    return Collections.unmodifiableCollection(byName.values());
  }

  /** The tensor of this name, or null. */
  @Nullable GgufTensor find(String name) {
    return byName.get(name);
  }

  /** The numbers of an F32 vector. */
  float[] vector(GgufTensor tensor) {
    if (tensor.type() != GgufTensorType.F32 || tensor.shape().size() != 1) {
      throw metadata.wrong(
          "%s is %s %s, not a vector in F32"
              .formatted(tensor.name(), tensor.type(), tensor.shape()));
    }
    try (Arena arena = Arena.ofConfined()) {
      return bytes(tensor, map(path, arena)).toArray(FLOAT);
    }
  }

  private MemorySegment bytes(GgufTensor tensor, MemorySegment mapped) {
    if (mapped.byteSize() - tensor.bytes() < tensor.begin()) {
      throw metadata.wrong("has become shorter since it was opened");
    }
    return mapped.asSlice(tensor.begin(), tensor.bytes());
  }

  /**
   * Reads a file's header.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming the file and what is wrong with it
   */
  static GgufFile open(Path path) {
    try (Arena arena = Arena.ofConfined()) {
      return GgufHeader.parse(path, map(path, arena));
    }
  }

  /** The bytes of a file, read-only. */
  static MemorySegment map(Path path, Arena arena) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (NoSuchFileException e) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " does not exist", e);
    } catch (IOException e) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " cannot be read: " + e, e);
    }
  }
}
