package dev.millrace.engine.device;

/**
 * Memory of a device's own.
 *
 * @param total bytes it has
 * @param free bytes that nobody uses now
 * @param utilization part of the total that this process may use
 */
public record DeviceMemory(long total, long free, double utilization) {
  /** Bytes of the free ones that may be used: what is beyond the part stays for others. */
  public long usable() {
    return Math.max(0, free - (long) (total * (1 - utilization)));
  }
}
