package dev.millrace.spi.model;

/**
 * One of several matrices that share their input and are multiplied as one, e.g. q, k and v.
 *
 * @param name module name, below the prefix of the {@link Weights} it is given to
 * @param out output rows, over all ranks
 */
public record Part(String name, int out) {
  public Part {
    if (out < 1) {
      throw new IllegalArgumentException(name + " has " + out + " output rows");
    }
  }
}
