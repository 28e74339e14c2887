package dev.millrace.spi.tensor;

/**
 * A token table [vocabulary, width], in any encoding. Rows are looked up with {@link Ops#embed}; as
 * a {@link Linear} it is the head of a model with tied embeddings.
 */
public interface Embedding extends Linear {
  int vocabulary();

  int width();
}
