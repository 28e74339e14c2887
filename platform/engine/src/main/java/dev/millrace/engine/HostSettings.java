package dev.millrace.engine;

import dev.millrace.engine.load.ModelSettings;
import java.util.Map;

/**
 * Everything an {@link InferenceHost} is opened with.
 *
 * @param device auto, cpu or cuda
 * @param gpuMemoryUtilization part of a GPU's memory that may be used
 * @param batchInvariant whether a GPU has to compute a row the same way whatever else is computed
 * @param cpuKernels auto, amx, avx512bf16, avx512, avx2, vector or reference
 * @param quantizedActivations none or int8: how the CPU's linears take their activations
 * @param threads of the CPU device; 0: one per processor
 * @param scheduler name of the scheduler plugin
 * @param schedulerSettings the scheduler's own settings
 * @param maxModelLen longest prompt and answer together; 0: the model's
 * @param kvCacheBytes memory of the KV cache; 0: what the limits need, at most a quarter of the
 *     machine's memory, or what a GPU has left
 * @param kvCacheDtype how keys and values are stored, by name; auto: as the device does best
 * @param prefixCaching whether requests share the KV blocks of equal prompt beginnings
 */
public record HostSettings(
    ModelSettings model,
    String device,
    double gpuMemoryUtilization,
    boolean batchInvariant,
    String cpuKernels,
    String quantizedActivations,
    int threads,
    String scheduler,
    Map<String, String> schedulerSettings,
    int maxModelLen,
    int maxNumSeqs,
    int maxNumBatchedTokens,
    int blockSize,
    long kvCacheBytes,
    String kvCacheDtype,
    boolean prefixCaching,
    int maxQueuedRequests,
    int maxQueuedTokens) {
  public HostSettings {
    schedulerSettings = Map.copyOf(schedulerSettings);
  }
}
