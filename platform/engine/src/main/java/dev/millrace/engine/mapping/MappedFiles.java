package dev.millrace.engine.mapping;

import dev.millrace.engine.device.cpu.MappingGuard;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The mapped files of a model. They must not change while it is served; where they do, this says so
 * instead of letting other numbers be computed with. Any thread; closed before the arena is.
 */
public final class MappedFiles implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MappedFiles.class);

  private record Mapped(Path path, FileStamp stamp, MappingGuard guard, MemorySegment bytes) {}

  private final Arena arena;
  private final List<Mapped> mapped = new CopyOnWriteArrayList<>();

  /** Files mapped in an arena of the caller's. */
  public MappedFiles(Arena arena) {
    this.arena = arena;
  }

  /**
   * Maps a file to be read.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if it does not exist or cannot be read
   */
  public MemorySegment map(Path path) {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      var stamp = FileStamp.of(path);
      var bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      mapped.add(new Mapped(path, stamp, MappingGuard.watch(bytes), bytes));
      return bytes;
    } catch (NoSuchFileException e) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " does not exist", e);
    } catch (IOException e) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " cannot be read: " + e, e);
    }
  }

  /**
   * Gives the memory of mapped bytes back to the system until they are read again. Bytes that lie
   * in no file of these stay as they are.
   */
  public void release(MemorySegment bytes) {
    if (mapped.stream().anyMatch(file -> contains(file.bytes(), bytes))) {
      MappedPages.release(bytes);
    }
  }

  private static boolean contains(MemorySegment whole, MemorySegment part) {
    return part.isNative()
        && whole.address() <= part.address()
        && part.address() + part.byteSize() <= whole.address() + whole.byteSize();
  }

  /**
   * Looks whether all that was read since was there. Cheap enough for every step.
   *
   * @throws InferenceException {@code MODEL_LOST} naming the file
   */
  public void checkRead() {
    for (var file : mapped) {
      if (file.guard().lost()) {
        throw lost(file.path() + " has lost bytes that were mapped, or cannot be read any more");
      }
    }
  }

  /**
   * Looks whether the files are still what they were: their sizes and times. A file that was
   * replaced by another one, or deleted, is no change: what is mapped is the old one.
   *
   * @throws InferenceException {@code MODEL_LOST} naming the file
   */
  public void checkUnchanged() {
    checkRead();
    for (var file : mapped) {
      if (Files.exists(file.path())) {
        check(file);
      }
    }
  }

  private void check(Mapped file) {
    FileStamp now;
    try {
      now = FileStamp.of(file.path());
    } catch (IOException e) {
      LOG.warn("{} cannot be looked at: {}", file.path(), e.toString());
      return;
    }
    if (!file.stamp().replacedBy(now) && !file.stamp().equals(now)) {
      throw lost("%s was changed: it had %s and has %s".formatted(file.path(), file.stamp(), now));
    }
  }

  /** What the JVM's own report of a page that could not be read means. */
  public InferenceException unreadable(Throwable cause) {
    var paths = mapped.stream().map(Mapped::path).toList();
    return new InferenceException(
        ErrorCode.MODEL_LOST, message("a page of " + paths + " cannot be read any more"), cause);
  }

  private static InferenceException lost(String what) {
    return new InferenceException(ErrorCode.MODEL_LOST, message(what));
  }

  private static String message(String what) {
    return what + "; its model must be loaded again";
  }

  @Override
  public void close() {
    mapped.forEach(file -> file.guard().close());
  }
}
