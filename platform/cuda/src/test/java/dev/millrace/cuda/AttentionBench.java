package dev.millrace.cuda;

import dev.millrace.cuda.BenchLaunch.Grid;
import dev.millrace.cuda.KernelBench.Bench;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Collections;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Attention with 32 heads, 8 KV heads of 128 numbers and blocks of 16 positions, which lie all over
 * the cache; blocks of one layer beside each other.
 */
final class AttentionBench {
  private static final int HEADS = 32;
  private static final int KV_HEADS = 8;
  private static final int DIM = 128;
  private static final int WIDTH = HEADS * DIM;
  private static final int BLOCK_SIZE = 16;
  private static final long BLOCK_NUMBERS = 2L * KV_HEADS * BLOCK_SIZE * DIM;
  private static final long POSITION_BYTES = 2 * 2 * KV_HEADS * DIM;
  private static final float SCALE = 0.088f;

  private final Bench bench;
  private final int blocks;
  private final long tables;

  AttentionBench(Bench bench) {
    this.bench = bench;
    this.blocks = (int) (bench.memory().bf16().memory().bytes() / (2 * BLOCK_NUMBERS));
    var order = IntStream.range(0, blocks).boxed().collect(Collectors.toList());
    Collections.shuffle(order, new Random(1));
    this.tables = bench.memory().integers(order.stream().mapToInt(i -> i).toArray());
  }

  void run() {
    for (int batch : SuitePart.simulated() ? new int[] {1, 2} : new int[] {1, 32, 128, 256}) {
      for (int partLength : new int[] {128, 256, 512}) {
        decode(batch, SuitePart.simulated() ? 64 : 1024, partLength);
      }
    }
    for (int sequences : new int[] {1, 4}) {
      prefill(sequences, SuitePart.simulated() ? 32 : 2048);
    }
    plain(SuitePart.simulated() ? 2 : 32, SuitePart.simulated() ? 64 : 1024);
  }

  private int sets(int sequences, int length) {
    int perSet = sequences * (length / BLOCK_SIZE);
    return Math.clamp(bench.memory().bf16().sets(2 * BLOCK_NUMBERS * perSet), 1, blocks / perSet);
  }

  /** The six parameters of the cache, for sequences of one length. */
  private Object[] cache(int set, int sequences, int length) {
    int each = length / BLOCK_SIZE;
    long keys = bench.memory().bf16().address(0, 1);
    return new Object[] {
      keys,
      keys + BLOCK_NUMBERS, // values begin half a block later, of two bytes each
      BLOCK_NUMBERS,
      BLOCK_SIZE,
      tables + 4L * set * sequences * each,
      each
    };
  }

  private static Object[] arguments(Object[] first, Object[] cache, Object... last) {
    var all = Arrays.copyOf(first, first.length + cache.length + last.length);
    System.arraycopy(cache, 0, all, first.length, cache.length);
    System.arraycopy(last, 0, all, first.length + cache.length, last.length);
    return all;
  }

  private long sequencesOf(int count) {
    return bench.memory().integers(IntStream.range(0, count).toArray());
  }

  private long lastPositions(int count, int length) {
    return bench.memory().integers(IntStream.generate(() -> length - 1).limit(count).toArray());
  }

  private void decode(int batch, int context, int partLength) {
    var memory = bench.memory();
    int most = batch * (Math.ceilDiv(context, partLength) + 1);
    long positions = lastPositions(batch, context);
    long sequences = sequencesOf(batch);
    long parts = memory.room(16L * most);
    long starts = memory.room(4L * (batch + 1));
    long count = memory.room(4);
    long sumBytes = 4L * most * WIDTH;
    long statBytes = BenchMemory.Region.aligned(8L * most * HEADS);
    long sums = memory.results(sumBytes + statBytes + 2L * batch * WIDTH);
    long stats = sums + sumBytes;
    long out = stats + statBytes;
    Object[] first = {memory.bf16().address(0, 1), HEADS, KV_HEADS, SCALE, 0f};
    var grid = Grid.of(2 * bench.multiprocessors(), 1, 128).shared(896 * DIM + 256);
    int sets = sets(batch, context);
    try (var arena = Arena.ofConfined()) {
      var plan = plan(arena, positions, sequences, batch, partLength, parts, starts, count);
      var attend = new BenchLaunch[sets];
      for (int i = 0; i < sets; i++) {
        var all = arguments(first, cache(i, batch, context), parts, count, sums, stats, out, WIDTH);
        attend[i] = bench.launch(arena, "decode_128", grid, all);
      }
      var merge =
          bench.launch(
              arena,
              "merge_decode",
              Grid.of(batch, HEADS, DIM),
              sums,
              stats,
              starts,
              HEADS,
              DIM,
              out,
              WIDTH);
      Runnable check = () -> bench.requireWritten("decode_128", out, (long) batch * WIDTH, false);
      double bytes = (double) batch * context * POSITION_BYTES;
      report(
          "%d x %d, parts of %d".formatted(batch, context, partLength),
          bytes,
          plan,
          attend,
          merge,
          check);
    }
  }

  private BenchLaunch plan(
      Arena arena,
      long positions,
      long sequences,
      int batch,
      int partLength,
      long parts,
      long starts,
      long count) {
    var grid = Grid.of(1, 1, 256);
    long length = bench.memory().integers(partLength);
    return bench.launch(
        arena, "plan_decode", grid, positions, sequences, batch, length, 0, parts, starts, count);
  }

  private void report(
      String shape,
      double bytes,
      BenchLaunch plan,
      BenchLaunch[] attend,
      BenchLaunch merge,
      Runnable check) {
    double whole =
        bench
            .timer()
            .seconds(
                attend.length,
                (set, stream) -> {
                  plan.put(stream);
                  attend[set].put(stream);
                  merge.put(stream);
                });
    check.run();
    double alone = bench.timer().seconds(attend.length, (set, stream) -> attend[set].put(stream));
    bench.report().add("decode_128", shape, alone, bytes, 0);
    bench.report().add("plan, decode_128, merge", shape, whole, bytes, 0);
  }

  private void prefill(int sequences, int length) {
    var memory = bench.memory();
    int perTile = 128 / (HEADS / KV_HEADS);
    int perSequence = length / perTile;
    int[] tiles = new int[4 * sequences * perSequence];
    for (int i = 0; i < sequences * perSequence; i++) {
      tiles[4 * i] = i * perTile;
      tiles[4 * i + 1] = perTile;
      tiles[4 * i + 2] = i / perSequence;
    }
    int rows = sequences * length;
    long positions = memory.integers(IntStream.range(0, rows).map(i -> i % length).toArray());
    long tilesThere = memory.integers(tiles);
    long out = memory.results(2L * rows * WIDTH);
    Object[] first = {memory.bf16().address(0, 1), HEADS, KV_HEADS, SCALE, 0, 0f};
    var grid = Grid.of(sequences * perSequence, KV_HEADS, 128).shared(768 * DIM);
    int sets = Math.min(4, sets(sequences, length));
    try (var arena = Arena.ofConfined()) {
      var launches = new BenchLaunch[sets];
      for (int i = 0; i < sets; i++) {
        var all = arguments(first, cache(i, sequences, length), tilesThere, positions, out, WIDTH);
        launches[i] = bench.launch(arena, "prefill_128", grid, all);
      }
      double seconds = bench.timer().seconds(sets, (set, stream) -> launches[set].put(stream));
      bench.requireWritten("prefill_128", out, (long) rows * WIDTH, false);
      double pairs = sequences * (length * (length + 1.0) / 2);
      double bytes = rows * (double) POSITION_BYTES + 4.0 * rows * WIDTH;
      String shape = "%d x %d".formatted(sequences, length);
      bench.report().add("prefill_128", shape, seconds, bytes, 4 * pairs * WIDTH);
    }
  }

  private void plain(int batch, int context) {
    var memory = bench.memory();
    long positions = lastPositions(batch, context);
    long sequences = sequencesOf(batch);
    long out = memory.results(2L * batch * WIDTH);
    Object[] first = {memory.bf16().address(0, 1), HEADS, KV_HEADS, DIM, SCALE, 0, 0f};
    var grid = Grid.of(HEADS, batch, 128).shared(4 * (2 * DIM + 128));
    try (var arena = Arena.ofConfined()) {
      var all = arguments(first, cache(0, batch, context), positions, sequences, out, WIDTH);
      var launch = bench.launch(arena, "attend_bf16_bf16", grid, all);
      double seconds = bench.timer().seconds(1, (_, stream) -> launch.put(stream));
      bench.requireWritten("attend_bf16_bf16", out, (long) batch * WIDTH, false);
      double bytes = (double) batch * context * POSITION_BYTES;
      bench.report().add("attend_bf16_bf16", batch + " x " + context, seconds, bytes, 0);
    }
  }
}
