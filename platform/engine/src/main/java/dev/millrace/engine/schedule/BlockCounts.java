package dev.millrace.engine.schedule;

/** The blocks of a sequence that may share them with others. */
public interface BlockCounts {
  /** Blocks it need not ask the pool for: its own, or, while it waits, what it shares for sure. */
  int heldBlocks(int blockSize);

  /** Blocks that are free if it loses its own. */
  int freedBlocks(int blockSize);
}
