package dev.millrace.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import jcuda.driver.JCudaDriver;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests of a class that have not been run yet, and notes each. Ends the process in a test
 * that takes too long, and after one that has broken the CUDA context. The context outlives each
 * test, because making one takes a card a quarter of a second.
 */
final class TestRun implements TestExecutionListener {
  private static final Duration LONGEST =
      Duration.ofSeconds(
          Integer.getInteger("millrace.test-seconds", SuitePart.simulated() ? 300 : 30));

  /** What a process returns that others are to follow. */
  private static final int MORE = 75;

  private final SuiteRecord record;
  private final Gpu gpu;
  private final Deque<String> within = new ArrayDeque<>();
  private volatile long begun;
  private volatile boolean running;

  private TestRun(SuiteRecord record, Gpu gpu) {
    this.record = record;
    this.gpu = gpu;
  }

  static void of(String tests, SuiteRecord record) throws Unavailable {
    var run = new TestRun(record, new Gpu(DriverLibrary.open()));
    OnlyNewTests.leaveOut(record.done());
    Thread.ofPlatform().daemon().name("watchdog").start(run::watch);
    var request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectClass(tests))
            .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "true")
            .build();
    LauncherFactory.create().execute(request, run);
  }

  @SuppressWarnings("BusyWait") // nothing tells of a test that hangs
  private void watch() {
    try {
      while (true) {
        Thread.sleep(500);
        if (running && System.nanoTime() - begun > LONGEST.toNanos()) {
          System.out.println("a test has not ended after " + LONGEST);
          Runtime.getRuntime().halt(MORE);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      record.begin(test.getUniqueId(), name(test));
      begun = System.nanoTime();
      running = true;
    } else {
      within.addLast(test.getDisplayName());
    }
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    String error =
        result.getStatus() == Status.SUCCESSFUL
            ? ""
            : result.getThrowable().map(Throwable::toString).orElse("aborted");
    if (test.isTest()) {
      running = false;
      double seconds = (System.nanoTime() - begun) / 1e9;
      record.finish(test.getUniqueId(), name(test), seconds, error);
    } else {
      within.removeLast();
      if (!error.isEmpty()) {
        record.fail(name(test), error);
      }
    }
    if (!error.isEmpty()) {
      result.getThrowable().ifPresent(Throwable::printStackTrace);
      if (isBroken()) {
        Runtime.getRuntime().halt(MORE);
      }
    }
  }

  /** A parameterized test is called by its parameters alone. */
  private String name(TestIdentifier test) {
    return String.join(" ", within.stream().skip(2).toList()) + " " + test.getDisplayName();
  }

  private boolean isBroken() {
    try {
      gpu.enter();
      return JCudaDriver.cuCtxSynchronize() != CudaResult.SUCCESS;
    } catch (RuntimeException _) {
      return true;
    }
  }
}
