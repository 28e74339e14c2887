package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import dev.millrace.spi.tensor.Rope;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Paged attention by native kernels, shared out by rows and key-value heads, and by parts of long
 * contexts where these are few. Engine thread.
 */
final class NativeAttention {
  private static final int FIELDS = 9;
  private static final int APPENDED_ROWS = 16;

  /** What {@code attention.c} wants for the query heads that it has in hand. */
  private static final int SCORE_ROWS = 4;

  private static final int PADDING = 16;

  /** Positions that {@code attention.c} meets in one piece. */
  static final int PART = 512;

  /** With fewer tasks to a worker, long contexts are shared out by parts: tasks are uneven then. */
  private static final int FEW_TASKS = 4;

  /** Multiplications that one thread does sooner than two agree on who does what. */
  private static final long ALONE = 20_000;

  private final AttentionFunctions functions;
  private final PagedKv kv;
  private final Workers workers;
  private final NativeStep step;
  private final IdentityHashMap<Instruction.Attend, MemorySegment> structs =
      new IdentityHashMap<>();
  private final IdentityHashMap<@Nullable Rope, Angles> ropes = new IdentityHashMap<>();
  private final MemorySegment[] scratch;
  private MemorySegment results = MemorySegment.NULL;
  private int longest;
  private long positions;

  NativeAttention(AttentionFunctions functions, PagedKv kv, Workers workers) {
    this.functions = functions;
    this.kv = kv;
    this.workers = workers;
    this.step = new NativeStep(kv);
    this.scratch = new MemorySegment[workers.count()];
    Arrays.fill(scratch, MemorySegment.NULL);
  }

  void begin(StepBatch batch) {
    step.fill(batch);
    longest = 0;
    positions = 0;
    for (int row = 0; row < batch.rows(); row++) {
      longest = Math.max(longest, batch.position(row) + 1);
      positions += batch.position(row) + 1;
    }
    ropes.values().forEach(angles -> angles.fill(batch));
  }

  void run(Instruction.Attend attend, Rows q, Rows k, Rows v, Rows out, StepBatch batch) {
    var attention = attend.attention();
    int headDim = attention.headDim();
    var angles = angles(attention.rope(), batch);
    long struct = struct(attend).address();
    int kvHeads = k.width() / headDim;
    ensureScratch(scratch(headDim, q.width() / headDim / kvHeads, longest));
    workers.run(
        Math.ceilDiv(batch.rows(), APPENDED_ROWS),
        (slice, worker) -> {
          int first = slice * APPENDED_ROWS;
          int end = Math.min(batch.rows(), first + APPENDED_ROWS);
          var memory = scratch[worker].address();
          functions.append(step.address(), struct, k, v, angles, memory, first, end);
        });
    var queries = new AttentionFunctions.Queries(step.address(), struct, q, angles);
    int tasks = batch.rows() * kvHeads;
    int parts = Math.ceilDiv(longest, PART);
    if (parts > 1 && workers.count() > 1 && tasks < FEW_TASKS * workers.count()) {
      int width = results(headDim, q.width() / k.width());
      attendInParts(queries, out, tasks, parts, width);
    } else {
      attend(queries, out, tasks, batch.rows());
    }
  }

  private void attend(AttentionFunctions.Queries queries, Rows out, int tasks, int rows) {
    int perSlice = positions * queries.q().width() <= ALONE ? tasks : Math.ceilDiv(rows, 16);
    workers.run(
        Math.ceilDiv(tasks, perSlice),
        (slice, worker) -> {
          int first = slice * perSlice;
          int end = Math.min(tasks, first + perSlice);
          functions.attend(queries, out, scratch[worker].address(), first, end);
        });
  }

  private void attendInParts(
      AttentionFunctions.Queries queries, Rows out, int tasks, int parts, int width) {
    results = Scratch.atLeast(results, Float.BYTES * Math.multiplyFull(tasks * parts, width));
    long to = results.address();
    workers.run(
        tasks * parts,
        (slice, worker) ->
            functions.attendParts(queries, to, parts, scratch[worker].address(), slice, slice + 1));
    functions.mergeParts(queries, to, parts, out, 0, tasks);
  }

  private Angles angles(@Nullable Rope rope, StepBatch batch) {
    var known = ropes.get(rope);
    if (known == null) {
      known = new Angles(rope);
      known.fill(batch);
      ropes.put(rope, known);
    }
    return known;
  }

  /** Numbers that {@code attend} wants room for, with so many query heads to a key-value head. */
  static int scratch(int headDim, int group, int positions) {
    return group * padded(headDim)
        + SCORE_ROWS * padded(Math.min(positions, PART))
        + 2 * results(headDim, group);
  }

  /** Numbers that a part's results take. */
  static int results(int headDim, int group) {
    return group * (PADDING + padded(headDim));
  }

  private static int padded(int numbers) {
    return Math.ceilDiv(numbers, PADDING) * PADDING;
  }

  private void ensureScratch(int numbers) {
    for (int i = 0; i < scratch.length; i++) {
      if (scratch[i].byteSize() < (long) Float.BYTES * numbers) {
        scratch[i] = Scratch.atLeast(scratch[i], 2L * Float.BYTES * numbers); // sequences grow
      }
    }
  }

  private MemorySegment struct(Instruction.Attend attend) {
    return structs.computeIfAbsent(attend, this::makeStruct);
  }

  private MemorySegment makeStruct(Instruction.Attend attend) {
    var attention = attend.attention();
    int headDim = attention.headDim();
    var rope = attention.rope();
    long[] fields = {
      kv.layerBytes(attend.layer()),
      attend.q().width() / headDim,
      attend.k().width() / headDim,
      headDim,
      attention.window(),
      rope == null ? 0 : rope.inverseFrequencies().length,
      rope != null && rope.interleaved() ? 1 : 0
    };
    var struct = Arena.ofAuto().allocate(JAVA_LONG, FIELDS);
    MemorySegment.copy(fields, 0, struct, JAVA_LONG, 0, fields.length);
    struct.setAtIndex(JAVA_DOUBLE, fields.length, attention.scale());
    struct.setAtIndex(JAVA_DOUBLE, fields.length + 1, attention.softCap());
    return struct;
  }
}
