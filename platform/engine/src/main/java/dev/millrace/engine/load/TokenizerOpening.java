package dev.millrace.engine.load;

import dev.millrace.engine.text.Detokenizer;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.InferenceException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A model's tokenizer, opened by a thread of its own while weights are read: a large vocabulary
 * takes a third of a second.
 */
final class TokenizerOpening {
  private final CompletableFuture<Tokenizer> opening;

  /** Begins. */
  TokenizerOpening(StoredModel stored) {
    opening =
        CompletableFuture.supplyAsync(
            () -> open(stored), task -> Thread.ofPlatform().name("tokenizer").start(task));
  }

  private static Tokenizer open(StoredModel stored) {
    var tokenizer = stored.tokenizer();
    try {
      var _ = new Detokenizer(tokenizer, false); // fails if it cannot read these tokens
      return tokenizer;
    } catch (RuntimeException | Error e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * Waits for it.
   *
   * @throws InferenceException naming what is wrong with its files
   */
  Tokenizer get() {
    try {
      return opening.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e.getCause() instanceof RuntimeException unchecked ? unchecked : e;
    }
  }

  /**
   * Waits for it and gives it up.
   *
   * @throws InferenceException naming what is wrong with its files
   */
  void close() {
    get().close();
  }
}
