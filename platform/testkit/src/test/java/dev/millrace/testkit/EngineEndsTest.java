package dev.millrace.testkit;

import static dev.millrace.testkit.TestEngine.read;
import static dev.millrace.testkit.TestEngine.request;
import static dev.millrace.testkit.TestEngine.settings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.RequestTerms;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ends that are no answers: limits, faults, and the engine's own end. */
@Timeout(10)
@ParameterizedClass
@ValueSource(ints = {0, 1})
class EngineEndsTest {
  @Parameter int stepsAhead;

  private static final Scheduler FIRST_COME = new FirstComeFirstServed();
  private static final EngineSettings AMPLE = settings(32, 512, 1024);

  @Test
  void anOutOfMemoryErrorOfTheDeviceEndsTheStepAndNotTheEngine() throws Exception {
    try (var host =
        new TestEngine(
            stepsAhead,
            AMPLE,
            FIRST_COME,
            batch -> {
              if (batch.token(0) == 77) {
                throw new OutOfMemoryError("so a test says");
              }
            })) {
      var lost = read(host.engine.submit(request(new int[] {77}, 5)));
      assertInstanceOf(StreamEvent.Failed.class, lost.end());
      assertEquals(2, read(host.engine.submit(request(new int[] {5}, 2))).tokens().size());
    }
  }

  @Test
  void aCancelledRequestFreesItsBlocksWhereverItIs() throws Exception {
    var release = new CountDownLatch(1);
    try (var host =
        new TestEngine(stepsAhead, settings(1, 512, 1024), FIRST_COME, _ -> await(release))) {
      var running = host.engine.submit(request(new int[] {1}, 60));
      var waiting = host.engine.submit(request(new int[] {2}, 60));
      waiting.cancel();
      running.cancel();
      running.cancel();
      release.countDown();
      for (var stream : List.of(running, waiting)) {
        var end = assertInstanceOf(StreamEvent.Failed.class, read(stream).end());
        assertEquals(ErrorCode.CANCELLED, end.error().code());
      }
      assertEquals(1024, host.freeBlocksWhenIdle());
      assertEquals(3, read(host.engine.submit(request(new int[] {3}, 3))).tokens().size());
    }
  }

  @Test
  void aRequestThatRunsOutOfTimeFails() throws Exception {
    var slow = new CountDownLatch(1);
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME, _ -> await(slow))) {
      var request =
          request(new int[] {1}, 50)
              .with(new RequestTerms(0, "", "", RequestTerms.NO_TIMEOUT, Duration.ofMillis(1)));
      var stream = host.engine.submit(request);
      Thread.sleep(5);
      slow.countDown();
      var end = assertInstanceOf(StreamEvent.Failed.class, read(stream).end());
      assertEquals(ErrorCode.TIMED_OUT, end.error().code());
      assertEquals(AMPLE.blocks(), host.freeBlocksWhenIdle());
    }
  }

  @Test
  void aFullQueueRefusesByRequestsAndByTokens() throws Exception {
    for (int promptLength : new int[] {1, 20}) {
      var started = new CountDownLatch(1);
      var release = new CountDownLatch(1);
      var small = new EngineSettings(64, 1, 512, 4, 64, true, 3, 40);
      var streams = new ArrayList<TokenStream>();
      try (var host =
          new TestEngine(
              stepsAhead,
              small,
              FIRST_COME,
              _ -> {
                started.countDown();
                await(release);
              })) {
        streams.add(host.engine.submit(request(new int[] {1}, 2)));
        started.await();
        int places = promptLength == 1 ? 3 : 2;
        for (int i = 0; i < places; i++) {
          streams.add(host.engine.submit(request(new int[promptLength], 2)));
        }
        var error =
            assertThrows(
                InferenceException.class,
                () -> streams.add(host.engine.submit(request(new int[promptLength], 2))));
        assertEquals(ErrorCode.QUEUE_FULL, error.code());
        release.countDown();
        for (var stream : streams) {
          assertEquals(2, read(stream).tokens().size());
        }
      } finally {
        release.countDown();
      }
    }
  }

  @Test
  void aSchedulerThatPlansNonsenseCostsNobodyAnything() throws Exception {
    Scheduler nonsense = view -> StepPlan.of(List.of(new Grant(12345, 1)));
    Scheduler thrower =
        _ -> {
          throw new IllegalStateException("a fault of the scheduler");
        };
    for (var broken : List.of(nonsense, thrower)) {
      try (var host = new TestEngine(stepsAhead, AMPLE, broken)) {
        assertEquals(9, read(host.engine.submit(request(new int[] {1, 2}, 9))).tokens().size());
        assertEquals(3, host.engine.stats().refusedPlans());
      }
    }
  }

  @Test
  void aLostStepFailsItsRequestsAndNoOthers() throws Exception {
    loseAStep(() -> {
      throw new IllegalStateException("the device is gone");
    });
  }

  @Test
  void aPluginOfAnotherReleaseFailsItsRequestsAndNoOthers() throws Exception {
    loseAStep(() -> {
      throw new NoSuchMethodError("a plugin's class was compiled with another interface");
    });
  }

  private void loseAStep(Runnable fault) throws Exception {
    var failing = new CountDownLatch(1);
    try (var host =
        new TestEngine(
            stepsAhead,
            AMPLE,
            FIRST_COME,
            batch -> {
              if (failing.getCount() > 0 && batch.token(0) == 99) {
                fault.run();
              }
            })) {
      var lost = read(host.engine.submit(request(new int[] {99}, 5)));
      var end = assertInstanceOf(StreamEvent.Failed.class, lost.end());
      assertEquals(ErrorCode.DEVICE_FAILURE, end.error().code());
      failing.countDown();
      assertEquals(5, read(host.engine.submit(request(new int[] {99}, 5))).tokens().size());
      assertEquals(AMPLE.blocks(), host.freeBlocksWhenIdle());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aLostDeviceFailsAllThatIsInsideAndWhatComesLater(boolean inTheStep) throws Exception {
    var gone = new InferenceException(ErrorCode.DEVICE_LOST, "the device is gone");
    try (var host =
        new TestEngine(
            stepsAhead,
            settings(1, 64, 64),
            FIRST_COME,
            batch -> {
              if (inTheStep && batch.position(0) == 20) {
                throw gone;
              }
            },
            (_, logits) -> {
              if (!inTheStep) {
                throw gone;
              }
            })) {
      var streams = new ArrayList<TokenStream>();
      for (int i = 0; i < 3; i++) {
        streams.add(host.engine.submit(request(new int[] {i}, 60)));
      }
      for (var stream : streams) {
        var end = assertInstanceOf(StreamEvent.Failed.class, read(stream).end());
        assertEquals(ErrorCode.DEVICE_LOST, end.error().code());
      }
      assertFalse(host.engine.ready()); // as soon as one has been told
      assertEquals(gone, host.engine.failure().orElseThrow());
      assertEquals(gone, host.engine.lost().toCompletableFuture().get());
      var error =
          assertThrows(
              InferenceException.class, () -> host.engine.submit(request(new int[] {4}, 1)));
      assertEquals(ErrorCode.DEVICE_LOST, error.code());
    }
  }

  @Test
  void drainingFinishesWhatIsInsideAndRefusesTheRest() throws Exception {
    try (var host = new TestEngine(stepsAhead, AMPLE, FIRST_COME)) {
      var stream = host.engine.submit(request(new int[] {4}, 40));
      assertEquals(0, host.engine.drain(Duration.ofSeconds(30)));
      assertEquals(40, read(stream).tokens().size());
      assertFalse(host.engine.ready());
      var error =
          assertThrows(
              InferenceException.class, () -> host.engine.submit(request(new int[] {4}, 1)));
      assertEquals(ErrorCode.UNAVAILABLE, error.code());
    }
  }

  @Test
  void closingFailsWhatIsInside() throws Exception {
    var host = new TestEngine(stepsAhead, settings(1, 64, 64), FIRST_COME, _ -> pause());
    var streams = new ArrayList<TokenStream>();
    for (int i = 0; i < 5; i++) {
      streams.add(host.engine.submit(request(new int[] {i}, 60)));
    }
    host.close();
    for (var stream : streams) {
      var end = assertInstanceOf(StreamEvent.Failed.class, read(stream).end());
      assertEquals(ErrorCode.UNAVAILABLE, end.error().code());
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(5);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
