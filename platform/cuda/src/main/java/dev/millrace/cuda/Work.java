package dev.millrace.cuda;

/** Something that is put into a stream, again and again for steps of other sizes. */
interface Work {
  /** Puts it there; entered threads only. */
  void run(StepSize size, long stream);
}
