package dev.millrace.engine.hub;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;

/** Runs tasks at once; the first that fails ends all. */
final class Together {
  private Together() {}

  interface Task {
    void run() throws Exception;
  }

  /**
   * Returns when all have ended.
   *
   * @param atOnce how many run at a time
   */
  static void run(int atOnce, List<? extends Task> tasks) throws Exception {
    try (var threads =
        Executors.newFixedThreadPool(atOnce, Thread.ofVirtual().name("hub-", 0).factory())) {
      var running = new ExecutorCompletionService<Void>(threads);
      for (var task : tasks) {
        running.submit(() -> {
          task.run();
          return null;
        });
      }
      try {
        for (int i = 0; i < tasks.size(); i++) {
          running.take().get();
        }
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw e.getCause() instanceof Exception cause ? cause : e;
      } catch (InterruptedException e) {
        threads.shutdownNow();
        throw e;
      }
    }
  }
}
