package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.millrace.engine.batch.TokenDraws;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The host's side of the draws of one step: settings on their way to the device, tokens on their
 * way back. Used again for a later step. Engine thread.
 */
final class DrawnTokens implements Owned.Closing {
  private final Milestone there;
  private PinnedMemory pinned;
  private int room;
  private @Nullable TokenDraws draws;
  private int picks;

  /** Room for so many picks; more is taken when a step has more. */
  DrawnTokens(int picks) {
    pinned = memory(picks);
    room = picks;
    try {
      there = new Milestone();
    } catch (RuntimeException | Error e) {
      pinned.close();
      throw e;
    }
  }

  private static PinnedMemory memory(int picks) {
    return new PinnedMemory((long) (Sampling.SETTINGS + Integer.BYTES) * picks);
  }

  /** Begins anew, once what it was used for before is done. */
  void begin(TokenDraws ofStep, int allPicks) {
    there.await();
    draws = null;
    if (allPicks > room) {
      var larger = memory(allPicks);
      pinned.close();
      pinned = larger;
      room = allPicks;
    }
    draws = ofStep;
    picks = allPicks;
  }

  /** Settings of all picks. */
  MemorySegment settings() {
    return pinned.segment().asSlice(0, (long) Sampling.SETTINGS * picks);
  }

  private MemorySegment tokens() {
    return pinned.segment().asSlice((long) Sampling.SETTINGS * room);
  }

  /** Has the tokens of all picks come back, and ends the step in the stream. */
  void download(long tokens, long stream) {
    if (picks > 0) {
      DriverCalls.download(tokens(), tokens, (long) Integer.BYTES * picks, stream);
    }
    there.set(stream);
  }

  boolean isOf(TokenDraws some) {
    return draws == some;
  }

  /** Waits for the tokens and says what was drawn. */
  void await() {
    there.await();
    var drawn = draws;
    for (int i = 0; drawn != null && i < drawn.count(); i++) {
      drawn.drawn(i, tokens().getAtIndex(JAVA_INT, drawn.pick(i)));
    }
    draws = null;
  }

  @Override
  public void close() {
    there.close();
    pinned.close();
  }
}
