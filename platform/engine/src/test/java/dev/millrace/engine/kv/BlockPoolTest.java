package dev.millrace.engine.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockPoolTest {
  private final BlockPool pool = new BlockPool(8, 4);

  @Test
  void allBlocksAreFreeAtFirst() {
    assertEquals(8, pool.total());
    assertEquals(8, pool.free());
    pool.checkIntegrity(List.of());
  }

  @ParameterizedTest
  @CsvSource({"0,0", "1,1", "4,1", "5,2", "32,8", "33,9"})
  void aBlockHoldsItsSizeInTokens(int tokens, int blocks) {
    assertEquals(blocks, pool.blocksFor(tokens));
  }

  @Test
  void aTableGrowsByWhatItLacks() {
    var table = new BlockTable();
    pool.grow(table, 3);
    pool.grow(table, 4);
    assertEquals(1, table.size());
    pool.grow(table, 5);
    assertEquals(2, table.size());
    assertEquals(6, pool.free());
    pool.checkIntegrity(List.of(table));
  }

  @Test
  void aTableNeverShrinksByGrowing() {
    var table = new BlockTable();
    pool.grow(table, 12);
    pool.grow(table, 1);
    assertEquals(3, table.size());
  }

  @Test
  void takesTheBlocksInOrderFromAFreshPool() {
    var table = new BlockTable();
    pool.grow(table, 32);
    assertEquals(
        IntStream.range(0, 8).boxed().toList(),
        IntStream.range(0, 8).mapToObj(table::block).toList());
  }

  @Test
  void refusesWhatIsNotThereAndKeepsTheTableAsItWas() {
    var table = new BlockTable();
    pool.grow(table, 4);
    var error = assertThrows(IllegalStateException.class, () -> pool.grow(table, 33));
    assertEquals("8 blocks wanted, 7 free", error.getMessage());
    assertEquals(1, table.size());
    pool.checkIntegrity(List.of(table));
  }

  @Test
  void releasedBlocksServeOthers() {
    var first = new BlockTable();
    var second = new BlockTable();
    pool.grow(first, 32);
    pool.release(first);
    assertEquals(0, first.size());
    pool.grow(second, 32);
    pool.checkIntegrity(List.of(first, second));
  }

  @Test
  void namesALostBlock() {
    var table = new BlockTable();
    pool.grow(table, 5);
    var error = assertThrows(IllegalStateException.class, () -> pool.checkIntegrity(List.of()));
    assertEquals("block 0 has 1 holders and is in 0 tables; it is not free", error.getMessage());
  }

  @Test
  void namesABlockThatIsHeldTwice() {
    var table = new BlockTable();
    pool.grow(table, 5);
    var error =
        assertThrows(IllegalStateException.class, () -> pool.checkIntegrity(List.of(table, table)));
    assertEquals("block 0 has 1 holders and is in 2 tables; it is not free", error.getMessage());
  }

  @Test
  void namesABlockThatIsBothFreeAndHeld() {
    var stranger = new BlockTable();
    new BlockPool(8, 4).grow(stranger, 1);
    var error =
        assertThrows(IllegalStateException.class, () -> pool.checkIntegrity(List.of(stranger)));
    assertTrue(String.valueOf(error.getMessage()).contains("block 0"));
  }

  @Test
  void noBlockIsLostInTenThousandRandomMoves() {
    var random = new SplittableRandom(7);
    var large = new BlockPool(97, 3);
    var tables = Stream.generate(BlockTable::new).limit(10).toList();
    for (int i = 0; i < 10_000; i++) {
      var table = tables.get(random.nextInt(10));
      int tokens = random.nextInt(60);
      if (random.nextInt(3) == 0) {
        large.release(table);
      } else if (large.blocksFor(tokens) - table.size() <= large.free()) {
        large.grow(table, tokens);
      }
      large.checkIntegrity(tables);
    }
  }
}
