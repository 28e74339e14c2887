package dev.millrace.cuda;

/**
 * What the launches of a step depend on besides what lies in device memory.
 *
 * @param rows that it runs with, some of them perhaps nobody's
 * @param decodes whether rows are attended for one by one
 * @param tiles runs of rows that are attended for together
 */
record StepSize(int rows, boolean decodes, int tiles) {
  /** Of work that does not attend. */
  static StepSize ofRows(int rows) {
    return new StepSize(rows, false, 0);
  }
}
