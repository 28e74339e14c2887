package dev.millrace.engine.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SequenceFinderTest {
  @Test
  void findsAndTakesLikeAMapAndASet() {
    var random = new Random(3);
    var finder = new SequenceFinder<Sequence>();
    for (int round = 0; round < 2_000; round++) {
      var list = new ArrayList<Sequence>();
      var byId = new HashMap<Long, Sequence>();
      int size = random.nextInt(random.nextInt(60) + 1);
      for (int i = 0; i < size; i++) {
        long id = byId.size() * 7L + random.nextInt(7);
        var sequence = new Sequence(id, id, new int[1], 1, 0, "", 0, Long.MAX_VALUE);
        list.add(sequence);
        byId.put(id, sequence);
      }
      if (random.nextBoolean()) {
        Collections.shuffle(list, random);
      }
      finder.search(list);
      var taken = new HashSet<Long>();
      for (long id : questions(list, random)) {
        assertEquals(byId.get(id), finder.find(id), "round " + round);
        if (byId.containsKey(id)) {
          assertEquals(taken.add(id), finder.take(id), "round " + round + ", id " + id);
        }
      }
    }
  }

  /** Mostly the ids in order, sometimes others, sometimes again. */
  private static List<Long> questions(List<Sequence> list, Random random) {
    var questions = new ArrayList<Long>();
    for (var sequence : list) {
      switch (random.nextInt(12)) {
        case 0 -> questions.add((long) random.nextInt(500));
        case 1 -> {}
        case 2 -> questions.add(list.get(random.nextInt(list.size())).id());
        default -> questions.add(sequence.id());
      }
    }
    return questions;
  }
}
