package dev.millrace.cuda;

/**
 * How a card is to be used.
 *
 * @param memoryUtilization part of its memory that may be, above 0 and up to 1
 * @param batchInvariant whether a row's bits may depend on nothing else in its step
 * @param logitsBytes memory of the logits that are held at a time
 */
record CudaSettings(double memoryUtilization, boolean batchInvariant, int logitsBytes) {}
