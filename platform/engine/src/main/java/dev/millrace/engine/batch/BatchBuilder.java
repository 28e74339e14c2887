package dev.millrace.engine.batch;

import dev.millrace.engine.schedule.Sequence;
import java.util.Arrays;

/**
 * Fills a {@link StepBatch} sequence by sequence. Owned by the engine thread; its batch is valid
 * until {@link #clear()}.
 */
public final class BatchBuilder {
  private final StepBatch batch = new StepBatch();

  /**
   * Starts the next step.
   *
   * @param before what the step before draws, where its tokens are taken before they are known
   */
  public void clear(TokenDraws before) {
    clear();
    batch.before = before;
  }

  /** Starts the next step, all tokens of which are known. */
  public void clear() {
    batch.rows = 0;
    batch.sequences = 0;
    batch.picks = 0;
    batch.copies = 0;
  }

  /**
   * Adds the next tokens of a sequence, whose blocks must already hold them. Where they are its
   * last, its logits are picked.
   */
  public void add(Sequence sequence, int tokens) {
    add(sequence, tokens, sequence.total() - 1);
  }

  /**
   * Adds the next tokens of a sequence, whose blocks must already hold them.
   *
   * @param firstPick position from which on all logits are picked
   */
  public void add(Sequence sequence, int tokens, int firstPick) {
    ensureRoom(tokens);
    int first = sequence.computed();
    for (int i = 0; i < tokens; i++) {
      int row = batch.rows++;
      batch.tokens[row] = sequence.token(first + i); // below 0: the batch knows where it is drawn
      batch.positions[row] = first + i;
      batch.sequenceOf[row] = batch.sequences;
    }
    batch.blockTables[batch.sequences++] = sequence.lease().table().array();
    int picks = Math.clamp(first + tokens - firstPick, 0, tokens);
    for (int row = batch.rows - picks; row < batch.rows; row++) {
      batch.pickedRows[batch.picks++] = row;
    }
  }

  /**
   * Adds a whole sequence, of which nothing is computed yet.
   *
   * @param blockTable blocks that hold it, in the order of its positions
   * @param picked whether the logits of all its tokens are wanted, else none
   */
  public void addWhole(int[] tokens, int[] blockTable, boolean picked) {
    ensureRoom(tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      int row = batch.rows++;
      batch.tokens[row] = tokens[i];
      batch.positions[row] = i;
      batch.sequenceOf[row] = batch.sequences;
      if (picked) {
        batch.pickedRows[batch.picks++] = row;
      }
    }
    batch.blockTables[batch.sequences++] = blockTable;
  }

  /** Has a KV block copied over another before the step computes anything. */
  public void copyBlock(int source, int target) {
    if (batch.copies == batch.copySources.length) {
      batch.copySources = Arrays.copyOf(batch.copySources, 2 * batch.copies);
      batch.copyTargets = Arrays.copyOf(batch.copyTargets, 2 * batch.copies);
    }
    batch.copySources[batch.copies] = source;
    batch.copyTargets[batch.copies++] = target;
  }

  public StepBatch batch() {
    return batch;
  }

  private void ensureRoom(int tokens) {
    int rows = batch.rows + tokens;
    if (rows > batch.tokens.length) {
      int length = Math.max(rows, 2 * batch.tokens.length);
      batch.tokens = Arrays.copyOf(batch.tokens, length);
      batch.positions = Arrays.copyOf(batch.positions, length);
      batch.sequenceOf = Arrays.copyOf(batch.sequenceOf, length);
      batch.pickedRows = Arrays.copyOf(batch.pickedRows, length);
    }
    if (batch.sequences == batch.blockTables.length) {
      batch.blockTables = Arrays.copyOf(batch.blockTables, 2 * batch.sequences);
    }
  }
}
