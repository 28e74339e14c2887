package dev.millrace.testkit.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MultiplyMmaKernelTest {
  private final RandomGenerator random = new SplittableRandom(23);

  enum Tile {
    LARGE(128, 128, 256, 65536),
    MIDDLE(64, 64, 128, 65536),
    FLAT(16, 64, 128, 40960);

    final int rows;
    final int outs;
    final int threads;
    final int shared;

    Tile(int rows, int outs, int threads, int shared) {
      this.rows = rows;
      this.outs = outs;
      this.threads = threads;
      this.shared = shared;
    }

    String suffix(boolean wide) {
      return (wide ? "wide_" : "") + name().toLowerCase(Locale.ROOT);
    }
  }

  @AfterEach
  void late() {
    Kernels.copyEarly(false);
  }

  /** Rows, outputs, inputs: ragged in each, and long enough to use each stage of the ring twice. */
  @ParameterizedTest
  @CsvSource({
    "FLAT, 1, 1, 8, false",
    "FLAT, 17, 70, 584, false",
    "FLAT, 5, 64, 584, true",
    "MIDDLE, 65, 67, 584, false",
    "MIDDLE, 3, 130, 520, true",
    "LARGE, 129, 131, 296, false",
    "LARGE, 70, 128, 296, true",
  })
  void multiplies(Tile tile, int rows, int outs, int ins, boolean early) {
    Kernels.copyEarly(early);
    var weights = DeviceWeights.random(outs, ins, new DeviceFormat.Bf16(), random);
    var x = DeviceRows.aligned(KvDtype.BFLOAT16, rows, ins).random(random);
    float[] bias = new float[outs];
    for (int i = 0; i < outs; i++) {
      bias[i] = (float) random.nextGaussian();
    }
    var narrow = run(tile, KvDtype.BFLOAT16, weights, x, bias);
    narrow.check(4e-3, weights.product(x, bias));
    var wide = run(tile, KvDtype.FLOAT32, weights, x, new float[0]);
    wide.check(2.6e-6, weights.product(x, new float[0]));
  }

  /** So a step may choose tiles by its number of rows, and stay batch-invariant. */
  @ParameterizedTest
  @CsvSource({"1", "21"})
  void allTilesGiveTheSameBits(int rows) {
    var weights = DeviceWeights.random(40, 328, new DeviceFormat.Bf16(), random);
    var x = DeviceRows.aligned(KvDtype.BFLOAT16, rows, 328).random(random);
    var flat = run(Tile.FLAT, KvDtype.FLOAT32, weights, x, new float[0]);
    for (var tile : new Tile[] {Tile.MIDDLE, Tile.LARGE}) {
      var other = run(tile, KvDtype.FLOAT32, weights, x, new float[0]);
      for (int r = 0; r < rows; r++) {
        assertArrayEquals(flat.row(r), other.row(r));
      }
    }
  }

  private static DeviceRows run(
      Tile tile, KvDtype to, DeviceWeights weights, DeviceRows x, float[] bias) {
    int outs = weights.matrix().rows();
    var out = DeviceRows.empty(to, x.rows(), outs);
    Kernels.launch(
        "multiply_mma_" + tile.suffix(to == KvDtype.FLOAT32),
        Grid.of(Math.ceilDiv(outs, tile.outs), Math.ceilDiv(x.rows(), tile.rows))
            .threads(tile.threads)
            .shared(tile.shared),
        x.address(),
        x.stride(),
        weights.data(),
        bias.length == 0 ? MemorySegment.NULL : DeviceArrays.of(bias),
        out.address(),
        out.stride(),
        x.rows(),
        outs,
        weights.matrix().cols());
    return out;
  }
}
