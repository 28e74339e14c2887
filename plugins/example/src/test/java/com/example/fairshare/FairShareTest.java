package com.example.fairshare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FairShareTest {
  private static final int PROMPT = 10;

  @Test
  void aFloodOfOneTenantDelaysNobodyElse() {
    var view = new View(3 * PROMPT, null);
    for (int id = 0; id < 9; id++) {
      view.waiting.add(new Waiting(id, "flood"));
    }
    view.waiting.add(new Waiting(9, "drop"));
    assertEquals(List.of(0L, 9L, 1L), started(plan(view)));
  }

  @Test
  void whoWasGrantedFewestStartsNext() {
    var view = new View(PROMPT, Map.of("much", 500L, "little", 20L));
    view.waiting.add(new Waiting(0, "much"));
    view.waiting.add(new Waiting(1, "little"));
    var plan = plan(view);
    assertEquals(List.of(1L), started(plan));
    assertEquals(Map.of("much", 500L, "little", 20L + PROMPT), plan.memo());
  }

  @Test
  void whoComesAnewBeginsWithTheLeastAndWhoIsGoneIsForgotten() {
    var view = new View(PROMPT, Map.of("gone", 900L, "busy", 500L));
    view.waiting.add(new Waiting(0, "busy"));
    view.waiting.add(new Waiting(1, "new"));
    var plan = plan(view);
    assertEquals(List.of(0L), started(plan));
    assertEquals(Map.of("busy", 500L + PROMPT, "new", 500L), plan.memo());
  }

  @Test
  void settingsAreRefusedByName() {
    var plugin = new FairSharePlugin();
    var error =
        assertThrows(InferenceException.class, () -> plugin.create(Map.of("weights", "a=2")));
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertTrue(error.getMessage().contains("weights"), error.getMessage());
  }

  private static StepPlan plan(EngineView view) {
    return new FairSharePlugin().create(Map.of()).plan(view);
  }

  private static List<Long> started(StepPlan plan) {
    return plan.grants().stream().map(Grant::sequence).toList();
  }

  /** An idle engine with room for all, but for the tokens of a step. */
  private record View(int tokensPerStep, Object memo, List<SequenceView> waiting)
      implements EngineView {
    View(int tokensPerStep, Object memo) {
      this(tokensPerStep, memo, new ArrayList<>());
    }

    @Override
    public List<SequenceView> running() {
      return List.of();
    }

    @Override
    public Limits limits() {
      return new Limits(tokensPerStep, 64, 16, 1000);
    }

    @Override
    public long nowNanos() {
      return 0;
    }

    @Override
    public int freeBlocks() {
      return 1000;
    }

    @Override
    public int blocksFor(SequenceView sequence, int tokens) {
      return Math.ceilDiv(sequence.computed() + tokens, 16);
    }

    @Override
    public int freedBy(SequenceView sequence) {
      return 0;
    }
  }

  /** A new sequence with a prompt of ten tokens. */
  private record Waiting(long id, String tenant) implements SequenceView {
    @Override
    public long request() {
      return id;
    }

    @Override
    public int computed() {
      return 0;
    }

    @Override
    public int total() {
      return PROMPT;
    }

    @Override
    public int maxTotal() {
      return 2 * PROMPT;
    }

    @Override
    public int priority() {
      return 0;
    }

    @Override
    public long arrivalNanos() {
      return id;
    }

    @Override
    public long deadlineNanos() {
      return Long.MAX_VALUE;
    }

    @Override
    public int preemptions() {
      return 0;
    }
  }
}
