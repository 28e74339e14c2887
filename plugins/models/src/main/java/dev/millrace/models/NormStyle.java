package dev.millrace.models;

import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Norm;

/**
 * How a family normalises; all norms of a model are alike but for their width.
 *
 * @param offset added to each weight
 */
record NormStyle(Norm.Kind kind, float eps, float offset) {
  Norm bind(String name, int width, Weights weights) {
    var weight = weights.vector(name + ".weight", width);
    var bias =
        switch (kind) {
          case RMS -> null;
          case LAYER -> weights.vector(name + ".bias", width);
        };
    return new Norm(kind, weight, bias, eps, offset);
  }
}
