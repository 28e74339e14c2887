package dev.millrace.spi.tensor;

/**
 * A value of the recorded forward pass: so many rows of {@link #width()} numbers, on some device.
 * Opaque to plugins. The number of rows is not known while recording: it is the step's.
 */
public interface Tensor {
  /** Numbers per row. */
  int width();
}
