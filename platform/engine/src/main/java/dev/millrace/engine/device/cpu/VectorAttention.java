package dev.millrace.engine.device.cpu;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.Instruction;
import dev.millrace.spi.tensor.Rope;
import java.util.Arrays;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/** Paged attention by vectors, shared out by rows and key-value heads. Engine thread. */
final class VectorAttention {
  private static final int APPENDED_ROWS = 16;

  /** Multiplications that one thread does sooner than two agree on who does what. */
  private static final long ALONE = 20_000;

  private final PagedKv kv;
  private final Workers workers;
  private final VectorHeads[] heads;
  private final IdentityHashMap<@Nullable Rope, Angles> ropes = new IdentityHashMap<>();
  private long positions;

  VectorAttention(PagedKv kv, Workers workers) {
    this.kv = kv;
    this.workers = workers;
    this.heads = new VectorHeads[workers.count()];
    Arrays.setAll(heads, _ -> new VectorHeads(kv));
  }

  /** Sees to it that the blocks of a batch have memory. */
  void begin(StepBatch batch) {
    positions = 0;
    for (int row = 0; row < batch.rows(); row++) {
      int position = batch.position(row);
      kv.ensure(batch.blockTable(row)[position / kv.blockSize()]);
      positions += position + 1;
    }
    ropes.values().forEach(angles -> angles.know(batch));
  }

  void run(Instruction.Attend attend, Rows q, Rows k, Rows v, Rows out, StepBatch batch) {
    var attention = attend.attention();
    var angles = angles(attention.rope(), batch);
    workers.run(
        Math.ceilDiv(batch.rows(), APPENDED_ROWS),
        (slice, worker) -> {
          int end = Math.min(batch.rows(), (slice + 1) * APPENDED_ROWS);
          for (int row = slice * APPENDED_ROWS; row < end; row++) {
            heads[worker].append(attend, angles, k, v, batch, row);
          }
        });
    int kvHeads = k.width() / attention.headDim();
    int tasks = batch.rows() * kvHeads;
    int perSlice = positions * q.width() <= ALONE ? tasks : Math.ceilDiv(batch.rows(), 16);
    workers.run(
        Math.ceilDiv(tasks, perSlice),
        (slice, worker) -> {
          int end = Math.min(tasks, (slice + 1) * perSlice);
          for (int task = slice * perSlice; task < end; task++) {
            heads[worker].attend(attend, angles, q, out, batch, task / kvHeads, task % kvHeads);
          }
        });
  }

  private Angles angles(@Nullable Rope rope, StepBatch batch) {
    var known = ropes.get(rope);
    if (known == null) {
      known = new Angles(rope);
      known.know(batch);
      ropes.put(rope, known);
    }
    return known;
  }
}
