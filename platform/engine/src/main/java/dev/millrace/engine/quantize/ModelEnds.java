package dev.millrace.engine.quantize;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The matrices that a model begins and ends with.
 *
 * @param table of its tokens
 * @param head null where it does not begin with a linear
 * @param tied whether both are one, which is stored as the table
 */
record ModelEnds(Weight table, Optional<Weight> head, boolean tied) {
  /** What the head is called in every family. */
  static final String HEAD = "lm_head";

  static ModelEnds of(Program body, Program head, NamedMatrices named) {
    var table =
        body.instructions().stream()
            .filter(Instruction.Embed.class::isInstance)
            .map(instruction -> ((Instruction.Embed) instruction).table().table())
            .findFirst()
            .orElseThrow(); // nothing else begins with tokens
    var last =
        head.instructions().stream()
            .filter(Instruction.Multiply.class::isInstance)
            .map(Instruction.Multiply.class::cast)
            .filter(multiply -> multiply.x().equals(head.input()))
            .map(multiply -> multiply.linear().parts())
            .filter(parts -> parts.size() == 1)
            .map(List::getFirst)
            .findFirst();
    return new ModelEnds(
        new Weight(Objects.requireNonNull(named.module(table), "table"), table),
        last.map(matrix -> new Weight(HEAD, matrix)),
        last.filter(table::equals).isPresent());
  }

  /**
   * Those of these names, or with names that end so.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} naming what is neither
   */
  List<Weight> named(List<String> names) {
    var all = new ArrayList<Weight>();
    all.add(table);
    head.ifPresent(all::add);
    for (String name : names) {
      if (all.stream().noneMatch(end -> hasName(end, name))) {
        throw new InferenceException(
            ErrorCode.INVALID_CONFIGURATION,
            "include is %s; the model has %s besides what is always quantized"
                .formatted(name, all.stream().map(Weight::module).toList()));
      }
    }
    return all.stream().filter(end -> names.stream().anyMatch(name -> hasName(end, name))).toList();
  }

  private static boolean hasName(Weight end, String name) {
    return end.module().equals(name) || end.module().endsWith("." + name);
  }
}
