package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import java.util.List;

/** Compiles mixtures of experts. Entered threads only. */
final class MixCompiler {
  private final LaunchList list;
  private final Weights weights;
  private final int capacity;

  MixCompiler(LaunchList list, Weights weights, int capacity) {
    this.list = list;
    this.weights = weights;
    this.capacity = capacity;
  }

  void add(Instruction.Mix i) {
    var activations = list.activations();
    var precision = activations.types().precision();
    var scratch = MixScratch.of(i, precision, activations.scratch(), capacity);
    var experts = i.experts();
    int chosen = i.routing().perToken();
    int count = experts.count();
    var route =
        list.launch("route_" + precision.suffix(), 32, Float.BYTES * count, 7)
            .grid(StepSize::rows, _ -> 1);
    list.value(route, i.routed())
        .number(count)
        .number(chosen)
        .number(i.routing().normalise() ? 1 : 0)
        .pointer(scratch.chosen())
        .pointer(scratch.weights());
    int inner = experts.inner();
    var gateUp = new Input(activations.address(i.x()), activations.stride(i.x()), chosen);
    multiply(experts.gateUp(), gateUp, chosen, scratch.chosen(), scratch.gateUp());
    list.gate(precision.suffix(), inner, size -> size.rows() * chosen)
        .number(ProgramCompiler.code(i.routing().activation()))
        .pointer(scratch.gateUp())
        .number(2 * inner)
        .pointer(scratch.gated())
        .number(inner)
        .number(inner);
    var down = new Input(scratch.gated(), inner, 1);
    multiply(experts.down(), down, chosen, scratch.chosen(), scratch.down());
    var combine =
        list.elementwise("combine", i.out(), 7)
            .pointer(scratch.down())
            .number(experts.hidden())
            .pointer(scratch.weights())
            .number(chosen);
    list.value(combine, i.out()).number(i.out().width());
  }

  /**
   * What experts are multiplied with.
   *
   * @param share rows of the output that one of its rows serves
   */
  private record Input(long x, int stride, int share) {}

  private void multiply(
      List<MatrixLinear> linears, Input input, int perRow, long chosen, long out) {
    var first = linears.getFirst();
    var precision = list.activations().types().precision();
    int output = 0;
    for (int part = 0; part < first.parts().size(); part++) {
      var matrix = weights.expert(first, part);
      int blocks = Math.ceilDiv(matrix.rows(), 4);
      list.launch("experts_" + precision.suffix() + "_" + matrix.format(), 128, 0, 10)
          .grid(_ -> blocks, size -> size.rows() * perRow)
          .pointer(input.x)
          .number(input.stride)
          .number(input.share)
          .pointer(weights.experts(linears, part))
          .number(matrix.group())
          .pointer(chosen)
          .pointer(out + (long) precision.bytes() * output)
          .number(first.out())
          .number(matrix.rows())
          .number(matrix.cols());
      output += matrix.rows();
    }
  }
}
