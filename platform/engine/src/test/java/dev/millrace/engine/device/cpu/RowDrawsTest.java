package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.batch.TokenDraws.Draw;
import dev.millrace.engine.sample.Sampler;
import dev.millrace.engine.schedule.Sequence;
import java.lang.foreign.Arena;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowDrawsTest {
  private static final int VOCABULARY = 301;
  private static final int ROWS = 40;
  private static final int BAD = 7;

  /** As the engine's own sampler does it, one sequence after the other. */
  private static int expected(float[] logits, Draw draw) {
    var sequence = new Sequence(1, 1, new int[] {3, 4}, 100, 0, "", 0, Long.MAX_VALUE);
    for (int i = 0; i < draw.index(); i++) {
      sequence.append(5);
    }
    return new Sampler(VOCABULARY).sample(logits, draw.params(), sequence, Set.of(), -1).id();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void everyRowGetsTheTokenThatItGetsAlone(int threads) {
    var random = new Random(threads);
    var draws = new TokenDraws();
    draws.clear(ROWS);
    int[] wanted = new int[ROWS];
    try (var arena = Arena.ofShared();
        var workers = new Workers(threads)) {
      var rows = new Rows(arena.allocate(JAVA_FLOAT, 400L * ROWS), 5, 390, VOCABULARY);
      for (int row = 0; row < ROWS; row++) {
        float[] logits = new float[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
          logits[i] = (float) random.nextGaussian();
        }
        rows.write(row, logits, VOCABULARY);
        if (row % 5 == 4) { // asks for more than a token
          wanted[row] = TokenDraws.NOT_DRAWN;
          continue;
        }
        var draw = new Draw(row % 3, row % 4, 1 - row % 2 * 0.3, 0.01 * (row % 2), row, row % 7);
        draws.add(row, draw);
        wanted[row] = expected(logits, draw);
      }
      rows.set(BAD, 300, Float.NaN);
      wanted[BAD] = TokenDraws.NOT_DRAWN;
      var all = new RowDraws(workers);
      for (int again = 0; again < 3; again++) { // with what was left in the rooms
        all.run(draws, rows);
        for (int row = 0; row < ROWS; row++) {
          assertEquals(wanted[row], draws.token(row), "row " + row);
        }
      }
    }
  }
}
