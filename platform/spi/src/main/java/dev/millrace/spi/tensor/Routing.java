package dev.millrace.spi.tensor;

/**
 * How a mixture-of-experts layer picks experts: softmax over the router's outputs, then the best.
 *
 * @param perToken experts used for each row
 * @param normalise whether the chosen weights are divided by their sum
 * @param activation of each expert's gate
 */
public record Routing(int perToken, boolean normalise, Activation activation) {}
