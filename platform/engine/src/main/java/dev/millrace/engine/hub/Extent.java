package dev.millrace.engine.hub;

/** How much of a model is wanted. */
public enum Extent {
  ALL,
  /** Configuration and texts, of a model whose weights are made up. A GGUF file comes whole. */
  WITHOUT_WEIGHTS
}
