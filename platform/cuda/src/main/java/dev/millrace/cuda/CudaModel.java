package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model in a card's memory. A step is one upload, the launches of the body and those of the head
 * on the picked rows; tokens that are drawn on the card, or logits of single rows, come back. All
 * is put into one stream and nothing waited for until it is asked for, so a step may be put behind
 * one that runs, and take its tokens from there.
 */
final class CudaModel implements DeviceModel {
  private static final Logger LOG = LoggerFactory.getLogger(CudaModel.class);

  /** System property: {@code false} has each step waited for before the next is planned. */
  private static final String AHEAD = "millrace.cuda.ahead";

  /** A stream that the default one does not wait for. */
  private static final int NON_BLOCKING = 1;

  private static final int NONE = -1;

  private static final int STEPS_AHEAD = "false".equals(System.getProperty(AHEAD)) ? 0 : 1;

  private final Gpu gpu;
  private final KernelModules kernels;
  private final int vocabulary;
  private final int picksPerChunk;
  private final Owned owned = new Owned();
  private final Handles.Stream stream = new Handles.Stream();
  private final @Nullable BlasUses blas;
  private final KvCache cache;
  private final StepInput input;
  private final PinnedMemory logits;
  private final Sampling sampling;
  private final Replay body;
  private final Replay head;
  private @Nullable Thread entered;
  private StepMarks marks = StepMarks.NONE;
  private int picks;

  /** The chunk of picks whose logits are held. */
  private int chunk = NONE;

  /** Whether the stream may still be at work. */
  private boolean busy;

  /**
   * Uploads the weights and takes the cache's memory.
   *
   * @param settings of the device
   * @param picksPerChunk rows of logits that are computed at a time
   */
  CudaModel(
      Gpu gpu,
      KernelModules kernels,
      ModelPrograms programs,
      ModelSpec spec,
      KvLayout layout,
      CudaSettings settings,
      int picksPerChunk) {
    this.gpu = gpu;
    this.kernels = kernels;
    this.vocabulary = spec.vocabulary();
    this.picksPerChunk = picksPerChunk;
    enter();
    try {
      CudaResult.check(JCudaDriver.cuStreamCreate(stream, NON_BLOCKING), "cuStreamCreate");
      owned.onClose(() -> JCudaDriver.cuStreamDestroy(stream));
      var weights = owned.add(new Weights(programs.all(), programs.precision()));
      this.cache = owned.add(new KvCache(spec, layout));
      int multiprocessors = gpu.multiprocessors();
      var attention = programs.attention(multiprocessors, settings.batchInvariant());
      this.input = owned.add(new StepInput(layout.blockSize(), attention));
      boolean invariant = settings.batchInvariant();
      this.blas = invariant ? null : library(programs);
      var parts =
          new ProgramCompiler.Parts(
              kernels, weights, cache, input, blas, invariant, multiprocessors);
      var dtype = layout.dtype();
      this.body =
          owned.add(
              new Replay(programs.body(), programs.bodyTypes(), dtype, parts, Integer.MAX_VALUE));
      this.head =
          owned.add(new Replay(programs.head(), programs.headTypes(), dtype, parts, picksPerChunk));
      this.logits = owned.add(new PinnedMemory((long) Float.BYTES * vocabulary));
      this.sampling = owned.add(new Sampling(kernels, vocabulary, picksPerChunk));
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  /** A library's products, for programs that can use them. */
  private @Nullable BlasUses library(ModelPrograms programs) {
    if (programs.precision() == Precision.FLOAT32) {
      return null;
    }
    try {
      var products = owned.add(BlasProducts.open(gpu));
      LOG.info("products by {}", products.name());
      return new BlasUses(products);
    } catch (Unavailable e) {
      LOG.warn("products by our own kernels, about half as fast for prompts: {}", e.getMessage());
      return null;
    }
  }

  /** Makes the card's context the calling thread's, if it is another than last time. */
  private void enter() {
    if (entered != Thread.currentThread()) {
      gpu.enter();
      entered = Thread.currentThread();
    }
  }

  @Override
  public void attach() {
    enter();
  }

  /** Has the steps from the next one on be marked. */
  void mark(StepMarks with) {
    marks = with;
  }

  @Override
  public void reserve(int rows) {
    enter();
    var _ = body.ensure(rows);
    var _ = head.ensure(Math.min(rows, picksPerChunk));
    if (blas != null) {
      blas.prepare(rows, stream);
    }
  }

  @Override
  public int stepsAhead() {
    return STEPS_AHEAD;
  }

  @Override
  public void run(StepBatch batch) {
    enter();
    chunk = NONE;
    picks = 0;
    int rows = input.hasNoTiles(batch) ? Graphs.padded(batch.rows()) : batch.rows();
    makeRoom(batch, rows);
    busy = true;
    var size = input.upload(batch, rows, stream.value());
    marks.begin(batch.rows(), stream);
    if (takesDrawnTokens(batch)) {
      sampling.fill(input.tokens(), batch.rows(), stream.value());
    }
    copyBlocks(batch.copies());
    body.replay(size, stream);
    picks = batch.picks();
    if (picks > 0) {
      runHead(0);
    }
  }

  /** Gets what a step needs; for more than there is, the stream must have come to its end. */
  private void makeRoom(StepBatch batch, int rows) {
    boolean inputFits = input.holds(batch, rows);
    boolean drawsFit = sampling.holds(batch.picks());
    int headRows = Math.min(batch.picks(), picksPerChunk);
    if (inputFits && drawsFit && body.holds(rows) && head.holds(headRows)) {
      return;
    }
    finish();
    if (!inputFits) {
      body.forget();
      head.forget();
      input.grow(batch, rows);
    }
    if (!drawsFit) {
      sampling.grow(batch.picks(), stream.value());
    }
    var _ = body.ensure(rows);
    if (headRows > 0) {
      var _ = head.ensure(headRows);
    }
  }

  private static boolean takesDrawnTokens(StepBatch batch) {
    for (int row = 0; row < batch.rows(); row++) {
      if (batch.drawnAt(row) >= 0) {
        return true;
      }
    }
    return false;
  }

  /** Waits for what is in the stream. */
  private void finish() {
    if (busy) {
      busy = false;
      DriverCalls.synchronize(stream.value());
    }
  }

  private void copyBlocks(int count) {
    if (count == 0) {
      return;
    }
    try (var arena = Arena.ofConfined()) {
      for (int layer = 0; layer < cache.layers(); layer++) {
        int blocks = Math.toIntExact(Math.ceilDiv(cache.blockBytes(layer) / 16, 256));
        kernels
            .launch("copy_blocks", 256, 0, 4, arena)
            .grid(_ -> blocks, _ -> 1)
            .pointer(cache.address(layer))
            .pointer(cache.blockBytes(layer))
            .pointer(input.copies())
            .number(count)
            .run(StepSize.ofRows(1), stream.value());
      }
    }
  }

  @Override
  public void draw(TokenDraws draws) {
    enter();
    sampling.begin(draws, picks);
    int end;
    for (int from = 0; from < draws.count(); from = end) {
      int wanted = draws.pick(from) / picksPerChunk;
      end = from;
      while (end < draws.count() && draws.pick(end) / picksPerChunk == wanted) {
        end++;
      }
      need(wanted);
      int first = wanted * picksPerChunk;
      var held = head.ensure(1);
      busy = true;
      sampling.put(
          held.address(head.output()),
          held.stride(head.output()),
          first,
          Math.min(picksPerChunk, picks - first),
          draws,
          from,
          end,
          stream.value());
    }
    marks.end(stream);
    sampling.end(stream.value());
  }

  @Override
  public void await(TokenDraws draws) {
    enter();
    sampling.await(draws);
  }

  @Override
  public void logits(int pick, float[] out) {
    Objects.checkIndex(pick, picks);
    enter();
    need(pick / picksPerChunk);
    var held = head.ensure(1);
    long row = (long) Float.BYTES * held.stride(head.output());
    long source = held.address(head.output()) + row * (pick % picksPerChunk);
    busy = true;
    DriverCalls.download(logits.segment(), source, (long) Float.BYTES * vocabulary, stream.value());
    finish();
    MemorySegment.copy(logits.segment(), JAVA_FLOAT, 0, out, 0, vocabulary);
  }

  private void need(int wanted) {
    if (wanted != chunk) {
      runHead(wanted);
    }
  }

  private void runHead(int wanted) {
    chunk = NONE;
    int first = wanted * picksPerChunk;
    int count = Math.min(picksPerChunk, picks - first);
    var activations = head.ensure(count);
    busy = true;
    gather(first, count, activations);
    head.run(StepSize.ofRows(count), stream.value());
    chunk = wanted;
  }

  /** The picked rows of the body's output become the head's input. */
  private void gather(int first, int count, Activations target) {
    var from = body.ensure(1);
    var input = head.input();
    String symbol = "gather_" + head.types().of(input).suffix();
    try (var arena = Arena.ofConfined()) {
      kernels
          .launch(symbol, 256, 0, 6, arena)
          .grid(StepSize::rows, _ -> 1)
          .pointer(from.address(body.output()))
          .number(from.stride(body.output()))
          .pointer(this.input.picks(first))
          .pointer(target.address(input))
          .number(target.stride(input))
          .number(input.width())
          .run(StepSize.ofRows(count), stream.value());
    }
  }

  @Override
  public void close() {
    gpu.enter(); // this thread may be a third one
    try {
      finish();
    } catch (InferenceException e) {
      LOG.debug("what was left in the stream failed: {}", e.getMessage());
    }
    owned.close();
  }
}
