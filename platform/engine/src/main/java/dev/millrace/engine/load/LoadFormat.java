package dev.millrace.engine.load;

/** {@code --load-format}: where weights come from. */
public enum LoadFormat {
  /** The files of the model directory. */
  AUTO,
  /** Random numbers in the shapes of its configuration. */
  DUMMY
}
