package dev.millrace.engine.hub;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lock of one blob, against other processes, Python's among them, and other threads. Python's
 * huggingface_hub locks with {@code flock}, which on Linux does not meet the locks of Java's file
 * channels; so the C library is called. A lock ends with its process, and its file stays.
 *
 * <p>Source: flock(2).
 */
@SuppressWarnings("restricted") // flock has no Java interface
final class BlobLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BlobLock.class);
  private static final long PAUSE_MILLIS = 200;
  private static final int READ_WRITE = 2;
  private static final int EXCLUSIVE_NOW = 2 | 4;

  /** EACCES, and EWOULDBLOCK of Linux and of BSD systems. */
  private static final Set<Integer> HELD = Set.of(13, 11, 35);

  private static final int NO_DESCRIPTOR = -1;

  private final int descriptor;

  private BlobLock(int descriptor) {
    this.descriptor = descriptor;
  }

  /**
   * Waits for the lock.
   *
   * @param whenHeld runs once if somebody else has it
   */
  static BlobLock take(Path file, Runnable whenHeld) throws IOException, InterruptedException {
    var lock = tryTake(file);
    if (lock == null) {
      whenHeld.run();
    }
    while (lock == null) {
      Thread.sleep(PAUSE_MILLIS);
      lock = tryTake(file);
    }
    return lock;
  }

  /** Takes the lock; null if somebody else has it. */
  static @Nullable BlobLock tryTake(Path file) throws IOException {
    Files.createDirectories(Objects.requireNonNull(file.getParent(), "a folder of locks"));
    try {
      Files.createFile(file);
    } catch (FileAlreadyExistsException _) {
      // of an earlier process, or held
    }
    var before = key(file);
    int descriptor = LibC.open(file);
    if (descriptor < 0) {
      return unlocked(file, "cannot be opened");
    }
    int error = LibC.flock(descriptor);
    if (error != 0) {
      LibC.close(descriptor);
      return HELD.contains(error) ? null : unlocked(file, "cannot be locked, error " + error);
    }
    if (before == null || !before.equals(key(file))) {
      LibC.close(descriptor); // the file was deleted meanwhile: its lock is nobody's
      return null;
    }
    return new BlobLock(descriptor);
  }

  private static BlobLock unlocked(Path file, String why) {
    LOG.warn("{} {}: no other process may fetch this model meanwhile", file, why);
    return new BlobLock(NO_DESCRIPTOR);
  }

  private static @Nullable Object key(Path file) throws IOException {
    try {
      return Files.getAttribute(file, "unix:ino");
    } catch (NoSuchFileException _) {
      return null;
    }
  }

  @Override
  public void close() {
    if (descriptor != NO_DESCRIPTOR) {
      LibC.close(descriptor);
    }
  }

  private static final class LibC {
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final MethodHandle OPEN =
        function("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle FLOCK =
        function(
            "flock",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle CLOSE =
        function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private static MethodHandle function(
        String name, FunctionDescriptor form, Linker.Option... options) {
      var linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), form, options);
    }

    static int open(Path file) {
      try (var arena = Arena.ofConfined()) {
        return (int) OPEN.invokeExact(arena.allocateFrom(file.toString()), READ_WRITE);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    /** 0, or what went wrong. */
    static int flock(int descriptor) {
      try (var arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(STATE);
        int status = (int) FLOCK.invokeExact(state, descriptor, EXCLUSIVE_NOW);
        var errno = MemoryLayout.PathElement.groupElement("errno");
        return status == 0 ? 0 : state.get(JAVA_INT, STATE.byteOffset(errno));
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    static void close(int descriptor) {
      try {
        int status = (int) CLOSE.invokeExact(descriptor);
        LOG.trace("closed a lock: {}", status);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
