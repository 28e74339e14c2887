package dev.millrace.cuda;

/**
 * A matrix in device memory, as kernels are told of it.
 *
 * @param format its name in the kernels' symbols
 * @param data address of the numbers or codes
 * @param scales address; 0: none
 * @param zeros address; 0: none
 * @param group columns that share a scale; 0: all
 * @param order address of an int for each column: the input that it is multiplied with; 0: its own
 */
record DeviceMatrix(
    String format, long data, long scales, long zeros, int group, long order, int rows, int cols) {

  /** Puts the four parameters that all kernels have for one. */
  Launch in(Launch launch) {
    return launch.pointer(data).pointer(scales).pointer(zeros).number(group);
  }
}
