package dev.millrace.engine.load;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The off-heap memory of one model: mapped files and converted tensors, freed together. */
final class ModelMemory implements AutoCloseable {
  private static final int ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();
  private final MappedFiles files = new MappedFiles(arena);

  MappedFiles files() {
    return files;
  }

  MemorySegment allocate(String owner, long bytes) {
    try {
      return arena.allocate(bytes, ALIGNMENT);
    } catch (OutOfMemoryError e) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          owner
              + " needs "
              + bytes
              + " bytes outside the Java heap, which are not there; -XX:MaxDirectMemorySize"
              + " raises the limit",
          e);
    }
  }

  @Override
  public void close() {
    files.close();
    arena.close();
  }
}
