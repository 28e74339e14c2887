package dev.millrace.models;

import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;

/** Norms of queries and keys, each head on its own with one weight for all. */
record HeadNorms(int headDim, Norm query, Norm key) {
  static HeadNorms bind(Shape shape, Weights attention) {
    return new HeadNorms(
        shape.headDim(), norm("q_norm", shape, attention), norm("k_norm", shape, attention));
  }

  Tensor query(Tensor q, Ops ops) {
    return ops.headNorm(q, headDim, query);
  }

  Tensor key(Tensor k, Ops ops) {
    return ops.headNorm(k, headDim, key);
  }

  private static Norm norm(String name, Shape shape, Weights attention) {
    return Norm.rms(attention.vector(name + ".weight", shape.headDim()), shape.eps());
  }
}
