package dev.millrace.engine.gguf;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.SequencedMap;
import java.util.function.Function;
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
    return mapped(path, file -> bytes(tensor, file).toArray(FLOAT));
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
    return mapped(path, file -> GgufHeader.parse(path, file));
  }

  /** What a reader makes of the file's bytes, none of which it may keep. */
  private static <T> T mapped(Path path, Function<MemorySegment, T> reader) {
    try (Arena arena = Arena.ofConfined();
        var files = new MappedFiles(arena)) {
      T read = reader.apply(files.map(path));
      files.checkRead();
      return read;
    } catch (InternalError e) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT, path + " cannot be read to its end", e);
    }
  }
}
