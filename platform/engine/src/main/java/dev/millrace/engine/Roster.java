package dev.millrace.engine;

import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.kv.CacheRoot;
import dev.millrace.engine.kv.KvLease;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.engine.schedule.SequenceFinder;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Grant;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who waits and who runs. Moves sequences between the two lists that schedulers see and keeps their
 * blocks in step. Owned by the engine thread.
 */
final class Roster {
  private final List<Sequence> waiting = new ArrayList<>();
  private final List<Sequence> running = new ArrayList<>();
  private final IdentityHashMap<Sequence, Generation> generations = new IdentityHashMap<>();
  private final SequenceFinder<Sequence> findRunning = new SequenceFinder<>();
  private final SequenceFinder<Sequence> findWaiting = new SequenceFinder<>();
  private final Deadlines deadlines = new Deadlines();
  private final BlockPool pool;
  private final boolean prefixCaching;
  private final Admission admission;
  private final Outbox outbox;
  private final EngineListener listener;
  private int heldBack;
  private long preemptions;

  Roster(
      BlockPool pool,
      boolean prefixCaching,
      Admission admission,
      Outbox outbox,
      EngineListener listener) {
    this.pool = pool;
    this.prefixCaching = prefixCaching;
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

  /** Sequences that run as little as those that wait, siblings of others included. */
  int notRunning() {
    return waiting.size() + heldBack;
  }

  boolean isIdle() {
    return generations.isEmpty();
  }

  long preemptions() {
    return preemptions;
  }

  Deadlines deadlines() {
    return deadlines;
  }

  /** Everyone, in no order; a copy. */
  Collection<Generation> everyone() {
    return List.copyOf(generations.values());
  }

  /** A new request joins the end of the queue; its siblings stay behind it. */
  void enqueue(Generation generation) {
    register(generation);
    waiting.add(generation.sequence);
    generation.group.heldBack().forEach(this::register);
    heldBack += generation.group.heldBack().size();
  }

  private void register(Generation generation) {
    var sequence = generation.sequence;
    generations.put(sequence, generation);
    deadlines.add(generation);
    var lease = new KvLease(pool, root(generation));
    lease.mayRead(!generation.owesPromptLogprobs()); // they need every row to be computed
    sequence.enter(lease);
  }

  private @Nullable CacheRoot root(Generation generation) {
    if (prefixCaching) {
      return CacheRoot.ofSalt(generation.request.terms().cacheSalt());
    }
    boolean shares = !generation.group.isSingle();
    return shares ? CacheRoot.ofRequest(generation.sequence.request()) : null;
  }

  /** Finds who is granted tokens, in the order of the grants; all of them run from now on. */
  void admit(List<Grant> grants, List<Generation> granted) {
    findRunning.search(running);
    findWaiting.search(waiting);
    for (int i = 0; i < grants.size(); i++) {
      granted.add(find(grants.get(i).sequence()));
    }
    for (int i = 0; i < granted.size(); i++) {
      start(granted.get(i));
    }
  }

  private Generation find(long id) {
    var found = findRunning.find(id);
    boolean runs = found != null;
    if (found == null) {
      found = findWaiting.find(id);
    }
    var generation = found == null ? null : generations.get(found);
    if (generation == null || !(runs ? findRunning : findWaiting).take(id)) {
      throw new IllegalStateException("sequence " + id + " is unknown, or granted tokens twice");
    }
    return generation;
  }

  private void start(Generation generation) {
    var sequence = generation.sequence;
    if (sequence.lease().attached()) {
      return;
    }
    waiting.remove(sequence);
    sequence.attach();
    running.add(sequence);
    if (!generation.admitted) {
      generation.cachedTokens = sequence.computed();
      listener.prefixLookup(sequence.promptLength(), sequence.computed());
      leaveQueue(generation, System.nanoTime());
    }
  }

  private void leaveQueue(Generation generation, long now) {
    deadlines.remove(generation);
    generation.admitted = true;
    deadlines.add(generation);
    admission.leaveQueue(generation.sequence.promptLength());
    listener.admitted(Duration.ofNanos(now - generation.sequence.arrivalNanos()));
  }

  /** Takes the blocks of running sequences; they wait at the head of the queue, oldest first. */
  void preempt(List<Long> ids) {
    if (ids.isEmpty()) {
      return;
    }
    var victims = running.stream().filter(s -> ids.contains(s.id())).toList();
    running.removeAll(victims);
    for (var victim : victims) {
      victim.restart();
      preemptions++;
      listener.preempted();
    }
    waiting.addAll(0, victims);
  }

  /** The prompt is computed: its other answers, which share its blocks, are no longer held back. */
  List<Generation> fork(Generation generation, long now) {
    if (generation.group.heldBack().isEmpty()) {
      return List.of();
    }
    var siblings = List.copyOf(generation.group.heldBack());
    generation.group.heldBack().clear();
    heldBack -= siblings.size();
    for (var sibling : siblings) {
      sibling.cachedTokens = generation.cachedTokens;
      sibling.promptRows = generation.promptRows; // reported once, for all
      sibling.sequence.lease().mayRead(true);
      sibling.sequence.lease().forkAt(sibling.sequence.promptLength());
      leaveQueue(sibling, now);
    }
    var leader = generation.sequence;
    leader.lease().offerTail(leader.tokens(), leader.promptLength());
    waiting.addAll(0, siblings.stream().map(sibling -> sibling.sequence).toList());
    return siblings;
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
    if (generations.remove(sequence) == null) {
      return;
    }
    boolean wasHeldBack = generation.group.heldBack().remove(generation);
    if (wasHeldBack) {
      heldBack--;
    } else if (!running.remove(sequence)) {
      waiting.remove(sequence);
    }
    deadlines.remove(generation);
    sequence.release();
    if (!generation.admitted) {
      admission.leaveQueue(sequence.promptLength());
    }
    admission.leave();
    if (!wasHeldBack && !generation.group.heldBack().isEmpty()) {
      promote(generation.group.heldBack().removeFirst());
    }
  }

  /** A sibling computes the prompt, because the one that should have is over. */
  private void promote(Generation sibling) {
    heldBack--;
    waiting.addFirst(sibling.sequence);
  }

  /** Proves that blocks are held by running sequences alone. */
  void checkIntegrity() {
    pool.checkIntegrity(running.stream().map(s -> s.lease().table()).toList());
  }
}
