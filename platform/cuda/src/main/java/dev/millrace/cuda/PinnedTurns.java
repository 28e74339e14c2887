package dev.millrace.cuda;

import java.lang.foreign.MemorySegment;

/**
 * Pinned memory twice, in turns: one is written while the stream may still read the other. Entered
 * threads only.
 */
final class PinnedTurns implements Owned.Closing {
  private final Owned owned = new Owned();
  private final PinnedMemory[] memories = new PinnedMemory[2];
  private final Milestone[] read = new Milestone[2];
  private int turn;

  PinnedTurns(long bytes) {
    try {
      for (int i = 0; i < 2; i++) {
        memories[i] = owned.add(new PinnedMemory(bytes));
        read[i] = owned.add(new Milestone());
      }
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  /** The one whose turn it is, once nobody reads it any more. */
  MemorySegment next() {
    turn = 1 - turn;
    read[turn].await();
    return memories[turn].segment();
  }

  /** All that reads it is in the stream. */
  void passOn(long stream) {
    read[turn].set(stream);
  }

  @Override
  public void close() {
    owned.close();
  }
}
