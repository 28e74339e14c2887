package dev.millrace.compare;

/**
 * A look at server and client at one moment. Counters run since the start of their process.
 *
 * @param nanos when, as {@link System#nanoTime}
 * @param running sequences that hold blocks
 * @param waiting sequences that hold none
 * @param tokens generated so far
 * @param blocksUsed KV blocks in use
 * @param blocksReserved KV blocks that the running sequences would hold at their longest
 * @param serverCpu seconds of processor time of the server
 * @param clientCpu seconds of processor time of the load generator
 * @param serverCollector seconds that the server's garbage collectors have taken
 * @param clientCollector the same of the load generator
 * @param residentBytes resident memory of the server
 */
record Sample(
    long nanos,
    double running,
    double waiting,
    double tokens,
    double blocksUsed,
    double blocksReserved,
    double serverCpu,
    double clientCpu,
    double serverCollector,
    double clientCollector,
    double residentBytes) {}
