package dev.millrace.engine.device.cpu;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;

/** Computes the instructions of recorded programs. Engine thread; closed with its model. */
interface Kernels extends AutoCloseable {
  /** Gets ready for the tokens of a step. */
  void begin(StepBatch batch);

  /**
   * Computes one instruction.
   *
   * @param batch what {@link #begin} was given; without tokens where the head is computed
   * @param rows of every value
   */
  void execute(Instruction instruction, Buffers buffers, StepBatch batch, int rows);

  /** Multiplies with a linear that the programs need not have. */
  void multiply(MatrixLinear linear, Rows x, Rows out, int rows);

  @Override
  void close();
}
