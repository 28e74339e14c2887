package dev.millrace.engine.batch;

/**
 * The ragged batch of one step. A row is one token of one sequence; the rows of a sequence follow
 * one another. Arrays are reused from step to step, so only their first entries mean anything.
 */
public final class StepBatch {
  int rows;
  int sequences;
  int picks;
  int copies;
  int[] tokens = new int[64];
  int[] positions = new int[64];
  int[] sequenceOf = new int[64];
  int[][] blockTables = new int[16][];
  int[] pickedRows = new int[64];
  int[] copySources = new int[4];
  int[] copyTargets = new int[4];
  TokenDraws before = new TokenDraws();

  public int rows() {
    return rows;
  }

  public int sequences() {
    return sequences;
  }

  public int picks() {
    return picks;
  }

  /** KV blocks to be copied, in order, before anything is computed. */
  public int copies() {
    return copies;
  }

  /** The block that is copied. */
  public int copySource(int copy) {
    return copySources[copy];
  }

  /** The block that it is copied over. */
  public int copyTarget(int copy) {
    return copyTargets[copy];
  }

  /**
   * Token id of a row. Where the step before draws it, that must have been done; if it found none,
   * the row is nobody's, and has any.
   */
  public int token(int row) {
    int token = tokens[row];
    return token < 0 ? Math.max(0, before.token(-1 - token)) : token;
  }

  /** The pick of the step before at which a row's token is drawn; −1: the token is known. */
  public int drawnAt(int row) {
    int token = tokens[row];
    return token < 0 ? -1 - token : -1;
  }

  /** Position of a row in its sequence, from 0. */
  public int position(int row) {
    return positions[row];
  }

  /** The sequence of a row, counted from 0 in this batch. */
  public int sequence(int row) {
    return sequenceOf[row];
  }

  /** KV blocks of the row's sequence, in order of position; longer than needed. */
  public int[] blockTable(int row) {
    return blockTables[sequenceOf[row]];
  }

  /** The row whose logits are wanted. */
  public int pickedRow(int pick) {
    return pickedRows[pick];
  }
}
