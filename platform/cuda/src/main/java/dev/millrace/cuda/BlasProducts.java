package dev.millrace.cuda;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Matrix products of cuBLASLt's in one stream. Which of its algorithms does a product is measured
 * at the start ({@link #prepare}) and kept for the next. Entered threads only.
 */
final class BlasProducts implements Owned.Closing {
  private static final Logger LOG = LoggerFactory.getLogger(BlasProducts.class);

  /** What NVIDIA advises on Hopper. */
  static final long WORKSPACE_BYTES = 32 << 20;

  /** The fastest, and two should it refuse some number of rows. */
  private static final int KEPT = 3;

  private final Owned owned = new Owned();
  private final BlasLibrary library;
  private final BlasChoices choices;
  private final Memory workspace;
  private final long handle;
  private final Map<BlasShape, Optional<BlasLinear>> linears = new HashMap<>();

  /** cuBLASLt as this machine has it, on a card whose context is entered. */
  static BlasProducts open(Gpu gpu) throws Unavailable {
    var library = BlasLibrary.open(BlasSearch.here());
    return open(library, gpu.name(), BlasChoices.folder(System.getenv()));
  }

  /**
   * With a library that was opened already.
   *
   * @param card its name, which choices are kept for
   * @param folder where they are kept
   * @throws InferenceException {@code OUT_OF_MEMORY} if there is none for the workspace
   */
  static BlasProducts open(BlasLibrary library, String card, Path folder) throws Unavailable {
    var workspace = new Memory(WORKSPACE_BYTES, "products of cuBLASLt's");
    try {
      long handle = library.calls().create();
      return new BlasProducts(
          library, workspace, handle, BlasChoices.read(folder, card, library.version()));
    } catch (InferenceException e) {
      workspace.close();
      throw new Unavailable(
          "cuBLASLt %s at %s does not start: %s; is the driver old for it?"
              .formatted(library.version(), library.name(), e.getMessage()));
    }
  }

  private BlasProducts(BlasLibrary library, Memory workspace, long handle, BlasChoices choices) {
    this.library = library;
    this.workspace = workspace;
    this.handle = handle;
    this.choices = choices;
    owned.onClose(workspace::close);
    owned.onClose(() -> library.calls().destroy(handle));
  }

  /** For the log: version and place. */
  String name() {
    return "cuBLASLt %s (%s)".formatted(library.version(), library.name());
  }

  /**
   * Products of a shape, the same each time it is asked for; none if the library has no algorithm
   * for it on this card. Closed with this.
   */
  Optional<BlasLinear> linear(BlasShape shape) {
    return linears.computeIfAbsent(shape, this::make);
  }

  private Optional<BlasLinear> make(BlasShape shape) {
    BlasLinear made;
    try {
      made = new BlasLinear(library.calls(), handle, workspace, shape);
    } catch (InferenceException e) {
      LOG.debug("{} has no {}: {}", name(), shape.key(), e.getMessage());
      return Optional.empty(); // an attribute that this version does not know
    }
    if (made.best(1).count() == 0) {
      made.close();
      return Optional.empty();
    }
    owned.add(made);
    return Optional.of(made);
  }

  /**
   * Products that will be wanted.
   *
   * @param weights addresses of the matrices, one at least; the more, the nearer are measurements
   *     to a step, in which no matrix is in the card's cache
   * @param mostRows that they will be wanted for
   */
  record Use(BlasLinear linear, long[] weights, int mostRows) {}

  /**
   * Chooses algorithms for the buckets of the given numbers of rows, by measuring what was not
   * measured before, and runs each once. Takes scratch memory meanwhile; where there is too little,
   * the library's first proposals stay. No capture meanwhile.
   */
  void prepare(List<Use> uses, int[] rows, Handles.Stream stream) {
    long began = System.nanoTime();
    int[] buckets = IntStream.of(rows).map(BlasBuckets::of).distinct().sorted().toArray();
    int measured = 0;
    for (var use : uses) {
      int[] wanted =
          Arrays.stream(buckets)
              .filter(bucket -> bucket <= BlasBuckets.of(use.mostRows()))
              .filter(bucket -> !use.linear().chosen(bucket))
              .toArray();
      if (wanted.length > 0) {
        measured += prepare(use, wanted, stream);
      }
    }
    choices.write();
    LOG.info(
        "{}: {} products measured in {} ms",
        name(),
        measured,
        (System.nanoTime() - began) / 1_000_000);
  }

  /** Scratch memory of {@link #prepare}, at most. */
  static long scratchBytes(List<BlasShape> shapes, int mostRows) {
    int rows = BlasBuckets.rows(BlasBuckets.of(mostRows));
    return shapes.stream()
        .mapToLong(shape -> BlasTuning.Bytes.of(shape, rows).sum())
        .max()
        .orElse(0);
  }

  private int prepare(Use use, int[] buckets, Handles.Stream stream) {
    var linear = use.linear();
    int mostRows = BlasBuckets.rows(buckets[buckets.length - 1]);
    int measured = 0;
    try (var tuning = new BlasTuning(BlasTuning.Bytes.of(linear.shape(), mostRows), stream)) {
      for (int bucket : buckets) {
        var kept = kept(linear, bucket);
        if (kept.count() == 0) {
          kept = measure(use, bucket, tuning);
          measured++;
        }
        if (kept.count() > 0) {
          linear.choose(bucket, kept);
          tuning.warm(linear, kept.get(0), BlasBuckets.rows(bucket), use.weights());
        }
      }
    } catch (InferenceException e) {
      if (e.code() != ErrorCode.OUT_OF_MEMORY) {
        throw e;
      }
      LOG.warn("{} is not measured: {}", linear.shape().key(), e.getMessage());
    }
    return measured;
  }

  private BlasAlgorithms kept(BlasLinear linear, int bucket) {
    try (var arena = Arena.ofConfined()) {
      byte[] bytes = choices.get(linear.shape(), bucket).orElse(new byte[0]);
      var all = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      var each = new ArrayList<MemorySegment>();
      for (long at = 0; at < bytes.length; at += BlasAlgorithms.BYTES) {
        each.add(all.asSlice(at, BlasAlgorithms.BYTES));
      }
      return linear.usable(BlasAlgorithms.of(each, arena), BlasBuckets.rows(bucket));
    }
  }

  private BlasAlgorithms measure(Use use, int bucket, BlasTuning tuning) {
    var linear = use.linear();
    int rows = BlasBuckets.rows(bucket);
    var order = tuning.fastest(linear, linear.best(rows), rows, use.weights());
    var best = order.subList(0, Math.min(KEPT, order.size()));
    if (!best.isEmpty()) {
      var bytes = new ByteArrayOutputStream();
      best.forEach(one -> bytes.writeBytes(one.toArray(ValueLayout.JAVA_BYTE)));
      choices.put(linear.shape(), bucket, bytes.toByteArray());
    }
    return linear.keep(best);
  }

  @Override
  public void close() {
    owned.close();
  }
}
