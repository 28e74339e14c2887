package dev.millrace.engine;

import org.jspecify.annotations.Nullable;

/**
 * A moment of the engine.
 *
 * @param running sequences that hold blocks
 * @param waiting sequences that hold none
 * @param freeBlocks free KV blocks
 * @param totalBlocks all KV blocks
 * @param reservedBlocks KV blocks that the running sequences would hold at their longest, each for
 *     itself
 * @param scheduler name of the scheduler that plans
 * @param deposed why the engine plans for itself instead; null while the scheduler is in charge
 * @param preemptions sequences that lost their blocks, since start
 * @param refusedPlans plans that broke a rule and were replaced, since start
 */
public record EngineStats(
    int running,
    int waiting,
    int freeBlocks,
    int totalBlocks,
    int reservedBlocks,
    String scheduler,
    @Nullable String deposed,
    long preemptions,
    long refusedPlans) {}
