package dev.millrace.spi.tensor;

/**
 * The expert matrices of one mixture-of-experts layer, bound together; used by {@link Ops#experts}.
 */
public interface Experts {
  int count();
}
