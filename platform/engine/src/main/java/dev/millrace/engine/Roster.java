package dev.millrace.engine;

import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Who waits and who runs. Moves sequences between the two lists that schedulers see and keeps their
 * blocks in step. Owned by the engine thread.
 */
final class Roster {
  private final List<Sequence> waiting = new ArrayList<>();
  private final List<Sequence> running = new ArrayList<>();
  private final Map<Long, Generation> byId = new HashMap<>();
  private final PriorityQueue<Generation> byDeadline =
      new PriorityQueue<>(Comparator.comparingLong(g -> g.sequence.deadlineNanos()));
  private final BlockPool pool;
  private final Admission admission;
  private final Outbox outbox;
  private final EngineListener listener;
  private long preemptions;

  Roster(BlockPool pool, Admission admission, Outbox outbox, EngineListener listener) {
    this.pool = pool;
    this.admission = admission;
    this.outbox = outbox;
    this.listener = listener;
  }

  List<Sequence> waiting() {
    return waiting;
  }

  List<Sequence> running() {
    return running;
  }

  boolean isIdle() {
    return byId.isEmpty();
  }

  long preemptions() {
    return preemptions;
  }

  /** Everyone, in no order; a copy. */
  Collection<Generation> everyone() {
    return List.copyOf(byId.values());
  }

  /** A new request joins the end of the queue. */
  void enqueue(Generation generation) {
    byId.put(generation.sequence.id(), generation);
    waiting.add(generation.sequence);
    if (generation.sequence.deadlineNanos() != Long.MAX_VALUE) {
      byDeadline.add(generation);
    }
  }

  /** The request of a sequence that is granted tokens; it runs from now on. */
  Generation admit(long id) {
    var generation = byId.get(id);
    if (generation == null) {
      throw new IllegalStateException("sequence " + id + " is unknown");
    }
    if (waiting.remove(generation.sequence)) {
      running.add(generation.sequence);
      if (!generation.admitted) {
        generation.admitted = true;
        admission.leaveQueue(generation.sequence.promptLength());
        long waited = System.nanoTime() - generation.sequence.arrivalNanos();
        listener.admitted(Duration.ofNanos(waited));
      }
    }
    return generation;
  }

  /** Takes the blocks of running sequences; they wait at the head of the queue, oldest first. */
  void preempt(List<Long> ids) {
    if (ids.isEmpty()) {
      return;
    }
    var victims = running.stream().filter(s -> ids.contains(s.id())).toList();
    running.removeAll(victims);
    for (var victim : victims) {
      pool.release(victim.blocks());
      victim.restart();
      preemptions++;
      listener.preempted();
    }
    waiting.addAll(0, victims);
  }

  /** Ends a request, unless it is over; {@code error} is null if its answer is complete. */
  void end(Generation generation, @Nullable InferenceException error) {
    if (generation.over) {
      return;
    }
    remove(generation);
    if (error != null) {
      outbox.add(new OutputMessage.Failed(generation, error));
    }
  }

  /** A request is over: its blocks are free. */
  void remove(Generation generation) {
    var sequence = generation.sequence;
    generation.over = true;
    if (byId.remove(sequence.id()) == null) {
      return;
    }
    if (!running.remove(sequence)) {
      waiting.remove(sequence);
    }
    if (sequence.deadlineNanos() != Long.MAX_VALUE) {
      byDeadline.remove(generation);
    }
    pool.release(sequence.blocks());
    if (!generation.admitted) {
      admission.leaveQueue(sequence.promptLength());
    }
    admission.leave();
  }

  /** A request whose time is up, or null. */
  @Nullable Generation expired(long now) {
    var first = byDeadline.peek();
    return first != null && first.sequence.deadlineNanos() - now <= 0 ? first : null;
  }

  /** The next time at which a request's time is up; {@link Long#MAX_VALUE}: none. */
  long nextDeadline() {
    var first = byDeadline.peek();
    return first == null ? Long.MAX_VALUE : first.sequence.deadlineNanos();
  }

  /** Proves that blocks are held by running sequences alone, each once. */
  void checkIntegrity() {
    pool.checkIntegrity(running.stream().map(Sequence::blocks).toList());
  }
}
