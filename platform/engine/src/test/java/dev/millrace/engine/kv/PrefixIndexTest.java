package dev.millrace.engine.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrefixIndexTest {
  private static final int BLOCK_SIZE = 3;

  private record Key(long parent, List<Integer> tokens) {}

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 16, 100})
  void findsWhatAMapFinds(int blocks) {
    var random = new SplittableRandom(blocks);
    var index = new PrefixIndex(blocks, BLOCK_SIZE);
    Map<Key, Integer> map = new HashMap<>();
    Map<Integer, Key> held = new HashMap<>();
    var ids = new HashSet<Long>();
    for (int i = 0; i < 20_000; i++) {
      int[] tokens = random.ints(5, 0, 3).toArray();
      int from = random.nextInt(3);
      int length = 1 + random.nextInt(BLOCK_SIZE);
      if (from + length > tokens.length) {
        continue;
      }
      var key = new Key(random.nextInt(-2, 4), list(tokens, from, length));
      int block = random.nextInt(blocks);
      assertEquals(
          map.getOrDefault(key, -1), index.find(key.parent, tokens, from, length), "round " + i);
      assertEquals(held.containsKey(block), index.has(block));
      if (held.containsKey(block)) {
        index.forget(block);
        map.remove(held.remove(block));
      } else if (!map.containsKey(key)) {
        assertTrue(ids.add(index.put(block, key.parent, tokens, from, length)), "an id is new");
        map.put(key, block);
        held.put(block, key);
      }
    }
  }

  @Test
  void whatFollowsAnotherContentIsAnotherContent() {
    var index = new PrefixIndex(4, BLOCK_SIZE);
    int[] tokens = {1, 2, 3, 1, 2, 3};
    long first = index.put(0, 0, tokens, 0, 3);
    long second = index.put(1, first, tokens, 3, 3);
    assertEquals(0, index.find(0, tokens, 3, 3));
    assertEquals(1, index.find(first, tokens, 0, 3));
    assertEquals(-1, index.find(second, tokens, 0, 3));
    assertEquals(-1, index.find(0, tokens, 0, 2), "a part is not the whole");
    index.forget(0);
    assertFalse(index.has(0));
    long again = index.put(2, 0, tokens, 0, 3);
    assertEquals(-1, index.find(again, tokens, 3, 3), "what followed the old one is out of reach");
  }

  private static List<Integer> list(int[] tokens, int from, int length) {
    return Arrays.stream(tokens, from, from + length).boxed().toList();
  }
}
