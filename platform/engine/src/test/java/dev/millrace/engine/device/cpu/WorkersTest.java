package dev.millrace.engine.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class WorkersTest {
  @ParameterizedTest
  @CsvSource({"1, 10000", "2, 4000", "3, 2000", "5, 1000"})
  void everySliceRunsExactlyOnceAndIsSeenByTheCaller(int threads, int phases) {
    var random = new Random(threads);
    try (var workers = new Workers(threads)) {
      assertEquals(threads, workers.count());
      for (int phase = 0; phase < phases; phase++) {
        int[] runs = new int[random.nextInt(24)];
        workers.run(runs.length, (slice, _) -> runs[slice]++);
        for (int count : runs) {
          assertEquals(1, count);
        }
      }
    }
  }

  @Test
  void runsMayHoldUnlikeNumbersOfSlices() {
    try (var workers = new Workers(3)) {
      for (int phase = 0; phase < 1000; phase++) {
        int[] starts = {0, phase % 5, phase % 5, 7};
        int[] runs = new int[7];
        workers.run(starts, (slice, _) -> runs[slice]++);
        assertArrayEquals(new int[] {1, 1, 1, 1, 1, 1, 1}, runs);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void noTwoSlicesRunAtOnceUnderOneWorkersNumber(int threads) {
    var busy = new AtomicIntegerArray(threads);
    var clashes = new AtomicInteger();
    try (var workers = new Workers(threads)) {
      for (int phase = 0; phase < 500; phase++) {
        workers.run(
            20,
            (_, worker) -> {
              clashes.addAndGet(busy.getAndIncrement(worker));
              busy.decrementAndGet(worker);
            });
      }
    }
    assertEquals(0, clashes.get());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5})
  void allWorkersTakePart(int threads) {
    try (var workers = new Workers(threads)) {
      assertEquals(threads, everyThread(workers).size());
    }
  }

  @Test
  void workersThatSleepAreWoken() throws InterruptedException {
    try (var workers = new Workers(3)) {
      var threads = everyThread(workers);
      for (var thread : threads) {
        while (thread != Thread.currentThread() && thread.getState() != Thread.State.WAITING) {
          Thread.sleep(1);
        }
      }
      assertEquals(threads, everyThread(workers));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void whatASliceThrowsReachesTheCallerAndTheWorkersGoOn(int threads) {
    var refused = new InferenceException(ErrorCode.INVALID_PLUGIN, "no such row");
    try (var workers = new Workers(threads)) {
      for (int phase = 0; phase < 200; phase++) {
        int bad = phase % 20;
        var thrown =
            assertThrows(
                InferenceException.class,
                () ->
                    workers.run(
                        20,
                        (slice, _) -> {
                          if (slice == bad) {
                            throw refused;
                          }
                        }));
        assertSame(refused, thrown);
        requireAllSlices(workers);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void anErrorOrACheckedExceptionOfASliceIsTheCause(int threads) {
    for (var problem : new Throwable[] {new NoClassDefFoundError("X"), new IOException("gone")}) {
      try (var workers = new Workers(threads)) {
        for (int slices : new int[] {1, 20}) {
          var thrown =
              assertThrows(
                  IllegalStateException.class,
                  () -> workers.run(slices, (_, _) -> WorkersTest.<RuntimeException>fail(problem)));
          assertSame(problem, thrown.getCause());
          requireAllSlices(workers);
        }
      }
    }
  }

  @Test
  void closeEndsTheThreads() throws InterruptedException {
    Set<Thread> threads;
    try (var workers = new Workers(5)) {
      threads = everyThread(workers);
    }
    for (var thread : threads) {
      if (thread != Thread.currentThread()) {
        thread.join();
        assertFalse(thread.isAlive());
      }
    }
  }

  @Test
  void theThreadsDoNotKeepTheProcessAlive() {
    try (var workers = new Workers(3)) {
      for (var thread : everyThread(workers)) {
        assertTrue(thread == Thread.currentThread() || thread.isDaemon());
      }
    }
  }

  /** The threads of a phase in which each must take a slice: none is done before all have begun. */
  private static Set<Thread> everyThread(Workers workers) {
    var threads = ConcurrentHashMap.<Thread>newKeySet();
    var all = new CyclicBarrier(workers.count());
    workers.run(
        workers.count(),
        (_, _) -> {
          threads.add(Thread.currentThread());
          try {
            all.await();
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
    return threads;
  }

  private static void requireAllSlices(Workers workers) {
    int[] runs = new int[20];
    workers.run(runs.length, (slice, _) -> runs[slice]++);
    int[] once = new int[runs.length];
    Arrays.fill(once, 1);
    assertArrayEquals(once, runs);
  }

  /** Throws what the compiler would not let a slice throw; other JVM languages do. */
  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void fail(Throwable problem) throws T {
    throw (T) problem;
  }
}
