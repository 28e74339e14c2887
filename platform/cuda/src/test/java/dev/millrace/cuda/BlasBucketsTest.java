package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Buckets cover all numbers of rows, without gaps, and begin with the batches of graphs. */
class BlasBucketsTest {
  @Test
  void everyNumberIsInTheSmallestBucketThatHoldsIt() {
    for (int rows = 1; rows <= 5000; rows++) {
      int bucket = BlasBuckets.of(rows);
      assertTrue(rows <= BlasBuckets.rows(bucket), "rows " + rows);
      assertTrue(bucket == 0 || rows > BlasBuckets.rows(bucket - 1), "rows " + rows);
    }
  }

  @Test
  void batchesOfGraphsHaveTheirOwn() {
    int[] expected = {1, 2, 4, 8, 16, 24, 32, 40};
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], BlasBuckets.rows(i));
    }
    assertEquals(256, BlasBuckets.rows(BlasBuckets.of(256)));
    assertEquals(512, BlasBuckets.rows(BlasBuckets.of(257)));
    assertEquals(1024, BlasBuckets.rows(BlasBuckets.of(513)));
    assertEquals(1 << 30, BlasBuckets.rows(BlasBuckets.COUNT - 1));
    assertEquals(BlasBuckets.COUNT - 1, BlasBuckets.of(1 << 30));
  }
}
