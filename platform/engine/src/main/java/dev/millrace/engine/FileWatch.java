package dev.millrace.engine;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.InferenceException;
import java.time.Duration;

/**
 * Looks now and then whether a model's files are still what was loaded. One that is overwritten
 * under us would silently give other weights; its engine is ended instead.
 */
final class FileWatch implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final Thread thread;

  private FileWatch(Thread thread) {
    this.thread = thread;
  }

  static FileWatch start(MappedFiles files, Engine engine) {
    return new FileWatch(Thread.ofVirtual().name("file-watch").start(() -> watch(files, engine)));
  }

  private static void watch(MappedFiles files, Engine engine) {
    try {
      while (true) {
        files.checkUnchanged();
        Thread.sleep(PAUSE);
      }
    } catch (InferenceException e) {
      engine.fail(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns once nobody looks any more. */
  @Override
  public void close() {
    thread.interrupt();
    Threads.join(thread);
  }
}
