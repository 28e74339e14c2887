package dev.millrace.engine.hub;

/**
 * How files are cut up and how much is fetched at once.
 *
 * @param files how many files at a time
 * @param connections how many requests for contents at a time
 * @param piece bytes that are fetched again at most, for each connection, after a crash
 * @param span bytes that one request asks for
 */
record Transfers(int files, int connections, long piece, long span) {
  static final Transfers USUAL = new Transfers(3, 8, 4 << 20, 32 << 20);
}
