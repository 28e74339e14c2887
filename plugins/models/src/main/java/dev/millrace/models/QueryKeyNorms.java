package dev.millrace.models;

import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;

/**
 * Norms of queries and keys.
 *
 * @param queryRun numbers of a query that are normalised together: a head, or all of them
 * @param keyRun the same of a key
 */
record QueryKeyNorms(int queryRun, int keyRun, Norm query, Norm key) {

  /** Each head on its own, with one weight for all. */
  static QueryKeyNorms ofHeads(Shape shape, Weights attention) {
    return bind(shape.headDim(), shape.headDim(), shape, attention);
  }

  /** All heads together. */
  static QueryKeyNorms ofRows(Shape shape, Weights attention) {
    return bind(shape.queryWidth(), shape.keyWidth(), shape, attention);
  }

  private static QueryKeyNorms bind(int queryRun, int keyRun, Shape shape, Weights attention) {
    return new QueryKeyNorms(
        queryRun,
        keyRun,
        shape.norms().bind("q_norm", queryRun, attention),
        shape.norms().bind("k_norm", keyRun, attention));
  }

  Tensor query(Tensor q, Ops ops) {
    return ops.headNorm(q, queryRun, query);
  }

  Tensor key(Tensor k, Ops ops) {
    return ops.headNorm(k, keyRun, key);
  }
}
