package dev.millrace.cuda;

import dev.millrace.cuda.BlasProducts.Use;
import dev.millrace.engine.device.Program;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The products of cuBLASLt's that a model's programs consist of, so that their algorithms can be
 * chosen before the first step. Entered threads only.
 */
final class BlasUses {
  private final BlasProducts products;
  private final IdentityHashMap<Program, Map<BlasLinear, Matrices>> byProgram =
      new IdentityHashMap<>();
  private Map<BlasLinear, Matrices> uses = new LinkedHashMap<>();

  BlasUses(BlasProducts products) {
    this.products = products;
  }

  /** Those that one kind of product is done with, and the most rows it is done for. */
  private static final class Matrices {
    final Set<Long> addresses = new LinkedHashSet<>();
    int rows;
  }

  /** A program is compiled now; what it used when it was compiled before is forgotten. */
  void begin(Program program) {
    uses = new LinkedHashMap<>();
    byProgram.put(program, uses);
  }

  /** Products of a shape with the matrix at an address, if the library has any. */
  Optional<BlasLinear> linear(BlasShape shape, long weights, int rows) {
    var linear = products.linear(shape);
    linear.ifPresent(one -> {
      var use = uses.computeIfAbsent(one, _ -> new Matrices());
      use.addresses.add(weights);
      use.rows = Math.max(use.rows, rows);
    });
    return linear;
  }

  /** Chooses algorithms for steps of up to so many rows; no capture meanwhile. */
  void prepare(int rows, Handles.Stream stream) {
    List<Use> all = new ArrayList<>();
    for (var ofProgram : byProgram.values()) {
      ofProgram.forEach((linear, use) -> {
        long[] weights = use.addresses.stream().mapToLong(Long::longValue).toArray();
        all.add(new Use(linear, weights, use.rows));
      });
    }
    int[] sizes = IntStream.rangeClosed(0, BlasBuckets.of(rows)).map(BlasBuckets::rows).toArray();
    products.prepare(all, sizes, stream);
  }
}
