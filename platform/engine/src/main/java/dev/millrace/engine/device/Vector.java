package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Tensor;

/** A constant row of a model, such as the weights of a norm. */
public record Vector(float[] values) implements Tensor {
  @Override
  public int width() {
    return values.length;
  }
}
