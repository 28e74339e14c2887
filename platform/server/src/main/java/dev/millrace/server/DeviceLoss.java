package dev.millrace.server;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when the device is lost for good: the requests have failed, {@code /health} says
 * why, and shortly after that the process ends, so that its supervisor starts another one.
 *
 * @param exit takes the exit code
 */
record DeviceLoss(IntConsumer exit) implements Consumer<InferenceException> {
  /** {@code EX_TEMPFAIL} of sysexits.h: try again. */
  static final int EXIT_CODE = 75;

  private static final Logger LOG = LoggerFactory.getLogger(DeviceLoss.class);

  /** For the errors to reach their readers. */
  private static final Duration GRACE = Duration.ofSeconds(2);

  @Override
  public void accept(InferenceException error) {
    if (error.code() != ErrorCode.DEVICE_LOST) {
      return; // another model may be loaded
    }
    LOG.error("{}; the process ends with status {}", error.getMessage(), EXIT_CODE);
    Thread.ofPlatform().daemon().name("device-loss").start(this::end);
  }

  private void end() {
    try {
      Thread.sleep(GRACE);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    exit.accept(EXIT_CODE);
  }
}
