package dev.millrace.engine.load;

import java.nio.file.Path;

/**
 * Which model to load, and how.
 *
 * @param directory a model as Hugging Face lays it out
 * @param quantization name of the quantization plugin; empty: what the checkpoint says
 * @param dtype type that unquantized weights are kept in
 * @param seed of dummy weights
 */
public record ModelSettings(
    Path directory, String quantization, DtypeChoice dtype, LoadFormat format, long seed) {}
