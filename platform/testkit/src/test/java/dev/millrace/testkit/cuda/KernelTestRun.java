package dev.millrace.testkit.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs test classes of this package until the first failure: 0 if there is none, else 1. For {@code
 * kernels/cuda/mutants.py}, which runs them hundreds of times.
 */
final class KernelTestRun implements TestExecutionListener {
  private int passed;

  public static void main(String[] names) {
    var request = LauncherDiscoveryRequestBuilder.request();
    for (var name : names) {
      request.selectors(selectClass(KernelTestRun.class.getPackageName() + "." + name));
    }
    var run = new KernelTestRun();
    LauncherDiscoveryRequest built = request.build();
    LauncherFactory.create().execute(built, run);
    end(run.passed == 0 ? "no test has run" : "");
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (result.getStatus() != Status.SUCCESSFUL) {
      end(test.getDisplayName() + ": " + result.getThrowable().map(Throwable::toString).orElse(""));
    }
    passed += test.isTest() ? 1 : 0;
  }

  private static void end(String failure) {
    System.out.println(failure);
    System.out.flush();
    Runtime.getRuntime().halt(failure.isEmpty() ? 0 : 1);
  }
}
