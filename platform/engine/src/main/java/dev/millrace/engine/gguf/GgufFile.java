package dev.millrace.engine.gguf;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * One GGUF file, parsed and checked; nothing of it stays mapped.
 *
 * @param tensors in the order of the file
 */
record GgufFile(Path path, GgufMetadata metadata, List<GgufTensor> tensors) {
  GgufFile {
    tensors = List.copyOf(tensors);
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
