package com.example.fairshare;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The plan of one step. Running sequences go on, oldest first, and one that is short of blocks
 * takes those of the youngest. A free place goes to the tenant that was granted the fewest tokens.
 */
final class FairShareStep {
  private static final long MILLISECOND = 1_000_000;

  private final EngineView view;
  private final Map<String, Long> accounts;
  private final List<Grant> grants = new ArrayList<>();
  private final List<Long> preempted = new ArrayList<>();
  private int tokens;
  private int blocks;

  FairShareStep(EngineView view) {
    this.view = view;
    accounts = accounts(view);
    tokens = view.limits().tokensPerStep();
    blocks = view.freeBlocks();
  }

  StepPlan plan() {
    goOn();
    if (preempted.isEmpty()) { // else the one that just lost its blocks might start again
      start();
    }
    // where not even one token's block is left, the next step has those of the preempted
    long wakeAt = grants.isEmpty() ? view.nowNanos() + MILLISECOND : Long.MAX_VALUE;
    return new StepPlan(grants, preempted, wakeAt, accounts);
  }

  private void goOn() {
    var running = new ArrayList<>(view.running());
    for (int i = 0; i < running.size() && tokens > 0; i++) {
      while (!grant(running.get(i)) && i + 1 < running.size()) {
        var youngest = running.removeLast();
        preempted.add(youngest.id());
        blocks += view.freedBy(youngest);
      }
    }
  }

  private void start() {
    var waiting = new ArrayList<>(view.waiting());
    int spare = view.running().size(); // a block for each that runs: none should be lost at once
    int places = view.limits().sequences() - view.running().size();
    for (; places > 0 && tokens > 0 && !waiting.isEmpty(); places--) {
      // of equals the first in the queue
      var next = Collections.min(waiting, Comparator.comparing(s -> accounts.get(s.tenant())));
      if (view.blocksFor(next, next.pending()) + spare > blocks || !grant(next)) {
        return; // it is waited for: overtaken, it might never fit
      }
      waiting.remove(next);
    }
  }

  /** Grants what is pending, as far as tokens and blocks go; false if that is nothing. */
  private boolean grant(SequenceView sequence) {
    int take = Math.min(sequence.pending(), tokens);
    while (take > 0 && view.blocksFor(sequence, take) > blocks) {
      take--;
    }
    if (take == 0) {
      return false;
    }
    grants.add(new Grant(sequence.id(), take));
    tokens -= take;
    blocks -= view.blocksFor(sequence, take);
    accounts.merge(sequence.tenant(), (long) take, Long::sum);
    return true;
  }

  /** Tokens by tenant. A new one begins with the least of the others: absence earns nothing. */
  private static Map<String, Long> accounts(EngineView view) {
    var here =
        Stream.concat(view.running().stream(), view.waiting().stream())
            .map(SequenceView::tenant)
            .collect(Collectors.toSet());
    var accounts = new TreeMap<String, Long>();
    if (view.memo() instanceof Map<?, ?> memo) {
      memo.forEach((tenant, granted) -> accounts.put((String) tenant, (Long) granted));
    }
    accounts.keySet().retainAll(here);
    long least = accounts.values().stream().min(Long::compare).orElse(0L);
    here.forEach(tenant -> accounts.putIfAbsent(tenant, least));
    return accounts;
  }
}
