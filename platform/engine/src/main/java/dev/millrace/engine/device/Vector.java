package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Tensor;

/**
 * A constant row of a model, such as the weights of a norm.
 *
 * @param name of the tensor it was read from; empty where there is none
 */
public record Vector(String name, float[] values) implements Tensor {
  /** A row of no tensor. */
  public Vector(float[] values) {
    this("", values);
  }

  @Override
  public int width() {
    return values.length;
  }
}
