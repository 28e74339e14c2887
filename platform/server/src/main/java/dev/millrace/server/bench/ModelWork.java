package dev.millrace.server.bench;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.load.LoadedModel;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model's steps have to read and to multiply, whoever computes them. Experts count as if
 * each token went to all of them.
 *
 * @param bodyWeights that every token is multiplied with
 * @param headWeights that a token is multiplied with when the next one is wanted
 * @param readBytes in memory of body and head
 * @param tableBytes in memory of the token table, of which a step reads a few rows; 0 if it is the
 *     head as well
 * @param cacheNumbers keys and values that a token leaves
 * @param attentionOperations of a token with one position of its context
 */
record ModelWork(
    long bodyWeights,
    long headWeights,
    long readBytes,
    long tableBytes,
    long cacheNumbers,
    long attentionOperations) {
  /**
   * A number of a query with a key, and one of a value with its share: a product and a sum each.
   */
  private static final int OPERATIONS = 4;

  static ModelWork of(LoadedModel model) {
    var body = Program.hidden(model.model(), model.spec());
    var head = Program.head(model.model(), model.spec());
    var bodyMatrices = matrices(body);
    var headMatrices = matrices(head);
    var read = new ArrayList<>(bodyMatrices);
    read.addAll(headMatrices);
    long table = 0;
    long attention = 0;
    for (var instruction : body.instructions()) {
      if (instruction instanceof Instruction.Embed embed) {
        var matrix = embed.table().table();
        table += headMatrices.contains(matrix) ? 0 : matrix.packed().byteSize();
      } else if (instruction instanceof Instruction.Attend attend) {
        attention += OPERATIONS * (long) attend.q().width();
      }
    }
    long cached =
        model.spec().layers().stream()
            .mapToLong(layer -> (long) layer.kvHeads() * (layer.keyDim() + layer.valueDim()))
            .sum();
    return new ModelWork(
        weights(bodyMatrices), weights(headMatrices), bytes(read), table, cached, attention);
  }

  private static List<QuantizedMatrix> matrices(Program program) {
    return program.linears().stream().flatMap(linear -> linear.parts().stream()).toList();
  }

  private static long weights(List<QuantizedMatrix> matrices) {
    return matrices.stream().mapToLong(one -> Math.multiplyFull(one.rows(), one.cols())).sum();
  }

  private static long bytes(List<QuantizedMatrix> matrices) {
    return matrices.stream().mapToLong(one -> one.packed().byteSize()).sum();
  }
}
