package dev.millrace.testkit;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.kv.KvLease;
import dev.millrace.engine.schedule.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Drives a model on a device step by step, without an engine: for tests that look at logits. */
public final class StepDriver {
  private final DeviceModel model;
  private final BlockPool pool;
  private final int vocabulary;
  private final BatchBuilder builder = new BatchBuilder();
  private final List<Copy> copies = new ArrayList<>();
  private long nextId;

  private record Copy(int source, int target) {}

  /**
   * A driver over all blocks of the model's cache.
   *
   * @param vocabulary width of the model's output
   */
  public StepDriver(DeviceModel model, int blocks, int blockSize, int vocabulary) {
    this.model = model;
    this.pool = new BlockPool(blocks, blockSize);
    this.vocabulary = vocabulary;
  }

  /** Tokens that a sequence takes in one step. */
  public record Chunk(Sequence sequence, int tokens) {}

  /** A new sequence of which nothing is computed. */
  public Sequence sequence(int... tokens) {
    long id = nextId++;
    var sequence = new Sequence(id, id, tokens, 1024, 0, "", 0, Long.MAX_VALUE);
    sequence.enter(new KvLease(pool, null));
    return sequence;
  }

  /** Runs one step; returns the outputs of those sequences that are computed to their end. */
  public float[][] step(List<Chunk> chunks) {
    run(chunks);
    var out = new float[builder.batch().picks()][vocabulary];
    for (int pick = 0; pick < out.length; pick++) {
      model.logits(pick, out[pick]);
    }
    return out;
  }

  /**
   * Runs one step and has the device choose the likeliest tokens, as an engine does; {@link
   * TokenDraws#NOT_DRAWN} where it cannot.
   */
  public int[] draw(List<Chunk> chunks) {
    run(chunks);
    int picks = builder.batch().picks();
    var draws = new TokenDraws();
    ask(draws, picks);
    model.await(draws);
    return IntStream.range(0, picks).map(draws::token).toArray();
  }

  /**
   * Has each of the sequences, of which one token is pending, go on by as many as there are steps,
   * the likeliest ones; each step is begun before the one ahead of it is over, where the device has
   * {@link DeviceModel#stepsAhead}, as an engine does.
   */
  public void decode(List<Sequence> sequences, int steps) {
    boolean ahead = model.stepsAhead() > 0;
    var before = new TokenDraws();
    var draws = new TokenDraws();
    for (int step = 0; step < steps; step++) {
      begin(sequences, before, draws);
      if (ahead && step > 0) {
        take(sequences, before);
      }
      for (int i = 0; i < sequences.size(); i++) {
        sequences.get(i).advance(1);
        sequences.get(i).expect(i);
      }
      if (!ahead || step == steps - 1) {
        take(sequences, draws);
      }
      var free = before;
      before = draws;
      draws = free;
    }
  }

  private void begin(List<Sequence> sequences, TokenDraws before, TokenDraws draws) {
    builder.clear(before);
    for (var sequence : sequences) {
      sequence.grow(1, builder::copyBlock);
      builder.add(sequence, 1);
    }
    model.run(builder.batch());
    ask(draws, sequences.size());
  }

  private void take(List<Sequence> sequences, TokenDraws draws) {
    model.await(draws);
    for (int i = 0; i < sequences.size(); i++) {
      sequences.get(i).append(draws.token(i));
    }
  }

  /** Has the likeliest token drawn at each pick of the last step. */
  private void ask(TokenDraws draws, int picks) {
    draws.clear(picks);
    for (int pick = 0; pick < picks; pick++) {
      draws.add(pick, new TokenDraws.Draw(0, 0, 1, 0, 0, 0));
    }
    model.draw(draws);
  }

  /** Runs one step, and leaves its outputs to be asked for. */
  void run(List<Chunk> chunks) {
    builder.clear();
    copies.forEach(copy -> builder.copyBlock(copy.source, copy.target));
    copies.clear();
    for (var chunk : chunks) {
      if (!chunk.sequence.lease().attached()) {
        chunk.sequence.attach();
      }
    }
    for (var chunk : chunks) {
      chunk.sequence.grow(chunk.tokens, builder::copyBlock);
      builder.add(chunk.sequence, chunk.tokens);
    }
    model.run(builder.batch());
    chunks.forEach(chunk -> chunk.sequence.advance(chunk.tokens));
  }

  /** A sequence that goes on from where another one is, in blocks that the next step copies. */
  public Sequence fork(Sequence sequence, int... more) {
    int computed = sequence.computed();
    int[] tokens = Arrays.copyOf(sequence.tokens(), computed + more.length);
    System.arraycopy(more, 0, tokens, computed, more.length);
    var fork = sequence(tokens);
    fork.attach();
    fork.grow(computed, builder::copyBlock);
    fork.advance(computed);
    for (int i = 0; i < fork.lease().table().size(); i++) {
      copies.add(new Copy(sequence.lease().table().block(i), fork.lease().table().block(i)));
    }
    return fork;
  }

  /** Computes all that is pending of one sequence, alone, and returns its output. */
  public float[] finish(Sequence sequence) {
    return step(List.of(new Chunk(sequence, sequence.pending())))[0];
  }

  /** Computes all that is pending of one sequence, alone, and returns the outputs of all of it. */
  public float[][] finishEach(Sequence sequence) {
    int pending = sequence.pending();
    builder.clear();
    sequence.attach();
    sequence.grow(pending, builder::copyBlock);
    builder.add(sequence, pending, 0);
    model.run(builder.batch());
    sequence.advance(pending);
    var out = new float[pending][vocabulary];
    for (int pick = 0; pick < pending; pick++) {
      model.logits(pick, out[pick]);
    }
    return out;
  }

  /** Takes a sequence's blocks; it starts again from nothing. */
  public void preempt(Sequence sequence) {
    sequence.restart();
  }
}
