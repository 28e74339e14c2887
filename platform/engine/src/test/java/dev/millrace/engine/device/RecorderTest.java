package dev.millrace.engine.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Rope;
import dev.millrace.spi.tensor.Routing;
import dev.millrace.spi.tensor.Tensor;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecorderTest {
  private static final Attention HEADS_OF_4 = new Attention(4, 1, 0, 0, null);
  private static final Norm NORM_OF_8 = norm(8);

  /** A mistake in a pass whose input is 8 wide. */
  interface Pass extends BiFunction<Tensor, Ops, Tensor> {}

  @ParameterizedTest
  @MethodSource({"foreignThings", "wrongWidths", "wrongHeads"})
  void aMistakeIsThePluginsAndIsSaid(Pass mistake, String said) {
    var e = assertThrows(InferenceException.class, () -> Program.record(8, mistake));
    assertEquals(ErrorCode.INVALID_PLUGIN, e.code());
    var message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith("the model plugin is wrong: "), message);
    assertTrue(message.contains(said), message);
  }

  static Stream<Arguments> foreignThings() {
    var notOfThisPass = "no operation of this pass returned";
    var held = new ArrayList<Tensor>();
    Program.record(
        8,
        (x, ops) -> {
          held.add(x);
          return ops.scale(x, 2);
        });
    Ops strange =
        (Ops)
            Proxy.newProxyInstance(
                RecorderTest.class.getClassLoader(), new Class<?>[] {Ops.class}, (_, _, _) -> null);
    return Stream.of(
        mistake("a vector", notOfThisPass, (_, ops) -> ops.scale(new Vector(new float[8]), 2)),
        mistake("a plugin's own tensor", notOfThisPass, (x, ops) -> ops.add(x, () -> 8)),
        mistake("a tensor of another pass", notOfThisPass, (x, ops) -> ops.add(x, held.getFirst())),
        mistake("the result of another pass", notOfThisPass, (_, _) -> held.getFirst()),
        mistake("a result of its own", notOfThisPass, (_, _) -> () -> 8),
        mistake("a table of its own", "a table that is not", (_, ops) -> ops.embed(ownTable())),
        mistake(
            "operations of its own",
            "operations that are not the engine's",
            (x, _) -> EmptyMatrix.linear(8, 8).apply(x, strange)),
        mistake(
            "a norm over a computed weight",
            "weights of 8",
            (x, ops) -> ops.norm(x, Norm.rms(ops.scale(x, 1), 1e-5f))));
  }

  static Stream<Arguments> wrongWidths() {
    var narrow = EmptyMatrix.linear(4, 8);
    return Stream.of(
        mistake("add", "has width 4, not 8", (x, ops) -> ops.add(x, narrow.apply(x, ops))),
        mistake("a linear", "linear's input", (x, ops) -> EmptyMatrix.linear(8, 4).apply(x, ops)),
        mistake(
            "a tied head",
            "head's input",
            (x, ops) -> new MatrixEmbedding("head", new EmptyMatrix(10, 4)).apply(x, ops)),
        mistake("norm", "a norm over 8 numbers", (x, ops) -> ops.norm(x, norm(4))),
        mistake("a norm's bias", "weights of 4", (x, ops) -> ops.norm(x, biased(8, 4))),
        mistake(
            "addNorm's x",
            "addNorm's x has width 4",
            (x, ops) -> ops.addNorm(x, narrow.apply(x, ops), NORM_OF_8)),
        mistake("addNorm's norm", "over 8", (x, ops) -> ops.addNorm(x, x, norm(4))),
        mistake("headNorm's norm", "over 4", (x, ops) -> ops.headNorm(x, 4, NORM_OF_8)),
        mistake(
            "an odd gate",
            "an even width, not 7",
            (x, ops) -> ops.gated(Activation.SILU, EmptyMatrix.linear(7, 8).apply(x, ops))),
        mistake("a short split", "split's widths", (x, ops) -> ops.split(x, 4, 3).getFirst()),
        mistake("a long split", "split's widths", (x, ops) -> ops.split(x, 4, 5).getFirst()),
        mistake("a split into nothing", "split's widths", (x, ops) -> ops.split(x).getFirst()),
        mistake("a negative part", "-4", (x, ops) -> ops.split(x, 12, -4).getFirst()),
        mistake("an empty part", "a part of 0", (x, ops) -> ops.split(x, 8, 0).getFirst()),
        mistake(
            "values",
            "values has width 4",
            (x, ops) -> ops.attention(0, x, x, narrow.apply(x, ops), HEADS_OF_4)));
  }

  static Stream<Arguments> wrongHeads() {
    var attentionOf3 = new Attention(3, 1, 0, 0, null);
    var tooWide = new Rope(new float[3], 1, false);
    return Stream.of(
        mistake("headNorm", "no heads of 3", (x, ops) -> ops.headNorm(x, 3, norm(3))),
        mistake("no head", "no heads of 0", (x, ops) -> ops.headNorm(x, 0, norm(1))),
        mistake("a negative head", "no heads of -4", (x, ops) -> ops.headNorm(x, -4, norm(4))),
        mistake("queries", "queries", (x, ops) -> ops.attention(0, x, x, x, attentionOf3)),
        mistake(
            "keys",
            "keys of width 6",
            (x, ops) -> {
              var k = EmptyMatrix.linear(6, 8).apply(x, ops);
              return ops.attention(0, x, k, k, HEADS_OF_4);
            }),
        mistake(
            "sharing",
            "do not share",
            (x, ops) -> {
              var k = EmptyMatrix.linear(12, 8).apply(x, ops);
              return ops.attention(0, x, k, k, HEADS_OF_4);
            }),
        mistake(
            "a rope",
            "rotates more than a head",
            (x, ops) -> ops.attention(0, x, x, x, new Attention(4, 1, 0, 0, tooWide))));
  }

  @Test
  void expertsThatDoNotFitAreRefused() {
    var experts =
        new MatrixExperts(
            List.of(EmptyMatrix.linear(6, 8), EmptyMatrix.linear(6, 8)),
            List.of(EmptyMatrix.linear(8, 3), EmptyMatrix.linear(8, 3)));
    assertExperts("not the engine's", () -> 2, 2, 1);
    assertExperts("the router's output", experts, 3, 1);
    assertExperts("3 of 2 experts", experts, 2, 3);
  }

  private static void assertExperts(String message, Experts experts, int routed, int perToken) {
    var routing = new Routing(perToken, true, Activation.SILU);
    var router = EmptyMatrix.linear(routed, 8);
    var e =
        assertThrows(
            InferenceException.class,
            () -> Program.record(8, (x, ops) -> ops.experts(x, router, experts, routing)));
    assertEquals(ErrorCode.INVALID_PLUGIN, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains(message), e.getMessage());
  }

  @Test
  void instructionsAreKeptInTheOrderOfTheCalls() {
    var program =
        Program.record(ops -> {
          var x = ops.embed(new MatrixEmbedding("table", new EmptyMatrix(10, 8)));
          var y = ops.gated(Activation.SILU, EmptyMatrix.linear(16, 8).apply(x, ops));
          return ops.addNorm(x, y, NORM_OF_8);
        });
    assertEquals(
        List.of("Embed", "Multiply", "Gate", "AddNormalise"),
        program.instructions().stream().map(i -> i.getClass().getSimpleName()).toList());
    assertArrayEquals(new int[] {8, 16, 8, 8}, program.slotWidths());
    assertEquals(0, program.input().width());
    assertEquals(program.instructions().getLast().out(), program.output());
  }

  @Test
  void partsOfASplitLieInTheirWholesSlot() {
    var parts = new ArrayList<Tensor>();
    var program =
        Program.record(
            8,
            (x, ops) -> {
              parts.addAll(ops.split(x, 2, 6));
              parts.addAll(ops.split(parts.get(1), 1, 5));
              return x;
            });
    assertEquals(
        List.of(new Value(0, 0, 2), new Value(0, 2, 6), new Value(0, 2, 1), new Value(0, 3, 5)),
        parts);
    assertEquals(0, program.instructions().size());
  }

  @Test
  void aNormsOffsetIsAddedToACopyOfItsWeights() {
    float[] weights = {1, 2};
    var norm = new Norm(Norm.Kind.RMS, new Vector(weights), null, 1e-5f, 1);
    var program = Program.record(2, (x, ops) -> ops.norm(x, norm));
    var recorded = assertInstanceOf(Instruction.Normalise.class, program.instructions().getFirst());
    assertArrayEquals(new float[] {2, 3}, recorded.norm().weight());
    assertArrayEquals(new float[] {1, 2}, weights);
  }

  private static Arguments mistake(String name, String said, Pass pass) {
    return Arguments.of(Named.of(name, pass), said);
  }

  private static Embedding ownTable() {
    record Own(int vocabulary, int width) implements Embedding {
      @Override
      public Tensor apply(Tensor x, Ops ops) {
        return x;
      }
    }
    return new Own(10, 8);
  }

  private static Norm norm(int width) {
    return Norm.rms(new Vector(new float[width]), 1e-5f);
  }

  private static Norm biased(int weights, int biases) {
    var bias = new Vector(new float[biases]);
    return new Norm(Norm.Kind.LAYER, new Vector(new float[weights]), bias, 1e-5f, 0);
  }
}
