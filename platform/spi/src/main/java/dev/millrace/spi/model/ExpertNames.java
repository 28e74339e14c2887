package dev.millrace.spi.model;

/**
 * What a family's quantized checkpoints call the matrices of experts, each of which has its own
 * there: {@code layers.0.BLOCK.experts.7.GATE.weight}. A checkpoint that is made of one whose
 * experts lie together, in {@code experts.gate_up_proj} [experts, gate and up, in] and {@code
 * experts.down_proj} [experts, out, inner], gets these names.
 *
 * @param block what holds router and experts, below the layer
 * @param gate an expert's gate
 * @param up what the gate is multiplied with
 * @param down what brings the product back to the width of the model
 */
public record ExpertNames(String block, String gate, String up, String down) {}
