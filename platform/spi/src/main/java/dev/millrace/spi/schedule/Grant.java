package dev.millrace.spi.schedule;

/**
 * Tokens for one sequence in one step.
 *
 * @param sequence {@link SequenceView#id()}
 * @param tokens at least 1, at most {@link SequenceView#pending()}
 */
public record Grant(long sequence, int tokens) {}
