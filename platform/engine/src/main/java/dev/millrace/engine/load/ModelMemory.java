package dev.millrace.engine.load;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.engine.memory.FreshPages;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The off-heap memory of one model: mapped files and converted tensors, freed together. */
final class ModelMemory implements AutoCloseable {
  private static final int ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();
  private final MappedFiles files = new MappedFiles(arena);
  private final FreshPages pages = new FreshPages(arena);

  MappedFiles files() {
    return files;
  }

  MemorySegment allocate(String owner, long bytes) {
    try {
      return pages.allocate(bytes, ALIGNMENT);
    } catch (OutOfMemoryError e) {
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          owner
              + " needs "
              + bytes
              + " bytes outside the Java heap, which are not there or beyond a limit: the system's,"
              + " a container's or -XX:MaxDirectMemorySize",
          e);
    }
  }

  @Override
  public void close() {
    files.close();
    arena.close();
  }
}
