package dev.millrace.engine;

import dev.millrace.spi.InferenceException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What other threads tell the engine thread. */
sealed interface EngineMessage {
  /** A new request: the answer that computes its prompt, and with it its group. */
  record Submit(Generation generation) implements EngineMessage {}

  /** A request is to end; {@code error} is null if its answer is already complete. */
  record End(Generation generation, @Nullable InferenceException error) implements EngineMessage {}

  /** Another scheduler is to plan the steps from now on. */
  record Schedule(NamedScheduler scheduler, CompletableFuture<@Nullable Void> done)
      implements EngineMessage {}

  /** The engine can go on no longer, and why. */
  record Fail(InferenceException error) implements EngineMessage {}

  /** The engine is to stop; what is left in it fails. */
  record Stop() implements EngineMessage {}
}
