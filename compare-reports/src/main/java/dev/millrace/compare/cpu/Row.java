package dev.millrace.compare.cpu;

import java.util.List;

/**
 * One thing that was measured.
 *
 * @param key for programs, e.g. {@code decode-q4}
 * @param title for people
 * @param unit of all values
 * @param more whether more is better
 * @param ours programs of Millrace, the one that is compared first
 * @param peers others on the same machine, in the same turns
 * @param best the value that the machine allows; not a number if that is not known
 * @param remarks on how it came about
 */
record Row(
    String key,
    String title,
    String unit,
    boolean more,
    List<Reading> ours,
    List<Reading> peers,
    double best,
    List<String> remarks) {
  Row {
    ours = List.copyOf(ours);
    peers = List.copyOf(peers);
    remarks = List.copyOf(remarks);
    if (ours.isEmpty()) {
      throw new IllegalArgumentException(key + " has nothing of ours");
    }
  }

  /** How many times better ours is than another: over 1 is better whichever way it is counted. */
  double ratio(Reading peer) {
    return better(ours.getFirst().spread().median(), peer.spread().median());
  }

  /** The share of what the machine allows. */
  double share(Reading reading) {
    return better(reading.spread().median(), best);
  }

  private double better(double mine, double other) {
    return more ? mine / other : other / mine;
  }
}
