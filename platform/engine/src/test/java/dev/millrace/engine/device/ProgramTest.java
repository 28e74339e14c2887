package dev.millrace.engine.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A model whose calls do not fit what its plugin described. */
class ProgramTest {
  private static final ModelSpec SPEC =
      new ModelSpec(8, 10, 64, List.of(new KvLayer(2, 4, 4, 0), new KvLayer(1, 4, 4, 0)));
  private static final MatrixEmbedding TABLE = new MatrixEmbedding("table", new EmptyMatrix(10, 8));

  /** A model of one layer, with what may be wrong with it. */
  private record OneLayer(int layer, int keyWidth, int headDim, int out) implements Model {
    @Override
    public Tensor hidden(Ops ops) {
      var x = ops.embed(TABLE);
      var k = EmptyMatrix.linear(keyWidth, 8).apply(x, ops);
      var attended = ops.attention(layer, x, k, k, new Attention(headDim, 1, 0, 0, null));
      return EmptyMatrix.linear(out, 8).apply(attended, ops);
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return EmptyMatrix.linear(out, 8).apply(rows, ops);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 8", "1, 4"})
  void aBodyThatFitsIsRecorded(int layer, int keyWidth) {
    assertEquals(8, Program.hidden(new OneLayer(layer, keyWidth, 4, 8), SPEC).output().width());
  }

  @Test
  void aHeadThatFitsIsRecorded() {
    var head = Program.head(new OneLayer(0, 8, 4, 10), SPEC);
    assertEquals(8, head.input().width());
    assertEquals(10, head.output().width());
  }

  @Test
  void aBodyOfAnotherWidthIsRefused() {
    refused(
        () -> Program.hidden(new OneLayer(0, 8, 4, 6), SPEC),
        "hidden returns width 6, described was 8");
  }

  @Test
  void aHeadOfAnotherWidthIsRefused() {
    refused(
        () -> Program.head(new OneLayer(0, 8, 4, 9), SPEC),
        "logits returns width 9, described was 10");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 2})
  void aLayerThatWasNotDescribedIsRefused(int layer) {
    refused(
        () -> Program.hidden(new OneLayer(layer, 8, 4, 8), SPEC),
        "layer " + layer + " attends, described were 2 layers");
  }

  @ParameterizedTest
  @CsvSource({"0, 4, 4", "1, 8, 4", "0, 8, 2"})
  void keysThatTheCacheHasNoRoomForAreRefused(int layer, int keyWidth, int headDim) {
    refused(
        () -> Program.hidden(new OneLayer(layer, keyWidth, headDim, 8), SPEC),
        "keys of width " + keyWidth + " and values of " + keyWidth + " in heads of " + headDim);
  }

  @Test
  void aHeadThatLooksAtTheStepsTokensIsRefused() {
    var embeds =
        new Model() {
          @Override
          public Tensor hidden(Ops ops) {
            return ops.embed(TABLE);
          }

          @Override
          public Tensor logits(Tensor rows, Ops ops) {
            return TABLE.apply(ops.add(rows, ops.embed(TABLE)), ops);
          }
        };
    refused(() -> Program.head(embeds, SPEC), "the head embeds tokens or attends");
  }

  @Test
  void aTensorThatTheModelKeptFromItsBodyIsRefusedInTheHead() {
    var keeps =
        new Model() {
          private Tensor kept = new Vector(new float[8]);

          @Override
          public Tensor hidden(Ops ops) {
            kept = ops.embed(TABLE);
            return kept;
          }

          @Override
          public Tensor logits(Tensor rows, Ops ops) {
            return TABLE.apply(kept, ops);
          }
        };
    Program.hidden(keeps, SPEC);
    refused(() -> Program.head(keeps, SPEC), "no operation of this pass returned");
  }

  private static void refused(Executable recording, String said) {
    var e = assertThrows(InferenceException.class, recording);
    assertEquals(ErrorCode.INVALID_PLUGIN, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains(said), e.getMessage());
  }
}
