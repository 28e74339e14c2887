package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.ModelSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * A model in a card's memory. A step is one upload, the launches of the body, those of the head on
 * the picked rows, and one download of their logits.
 */
final class CudaModel implements DeviceModel {
  /** A stream that the default one does not wait for. */
  private static final int NON_BLOCKING = 1;

  private static final int NONE = -1;

  private final Gpu gpu;
  private final KernelModules kernels;
  private final int vocabulary;
  private final int picksPerChunk;
  private final Owned owned = new Owned();
  private final Handles.Stream stream = new Handles.Stream();
  private final Weights weights;
  private final KvCache cache;
  private final StepInput input;
  private final PinnedMemory logits;
  private final Replay body;
  private final Replay head;
  private @Nullable Thread entered;
  private int picks;

  /** The chunk of picks whose logits are held. */
  private int chunk = NONE;

  /**
   * Uploads the weights and takes the cache's memory.
   *
   * @param picksPerChunk rows of logits that are computed at a time
   */
  CudaModel(
      Gpu gpu,
      KernelModules kernels,
      Program hidden,
      Program logitsOf,
      ModelSpec spec,
      KvLayout layout,
      int picksPerChunk) {
    this.gpu = gpu;
    this.kernels = kernels;
    this.vocabulary = spec.vocabulary();
    this.picksPerChunk = picksPerChunk;
    enter();
    try {
      CudaResult.check(JCudaDriver.cuStreamCreate(stream, NON_BLOCKING), "cuStreamCreate");
      owned.onClose(() -> JCudaDriver.cuStreamDestroy(stream));
      this.weights = owned.add(new Weights(List.of(hidden, logitsOf)));
      this.cache = owned.add(new KvCache(spec, layout));
      this.input = owned.add(new StepInput(layout.blockSize()));
      this.body = owned.add(new Replay(hidden, kernels, weights, cache, input, Integer.MAX_VALUE));
      this.head = owned.add(new Replay(logitsOf, kernels, weights, cache, input, picksPerChunk));
      this.logits = owned.add(new PinnedMemory((long) Float.BYTES * vocabulary * picksPerChunk));
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
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

  @Override
  public void reserve(int rows) {
    enter();
    var _ = body.ensure(rows);
    var _ = head.ensure(Math.min(rows, picksPerChunk));
  }

  @Override
  public void run(StepBatch batch) {
    enter();
    chunk = NONE;
    picks = 0;
    if (!input.ensure(batch)) {
      body.forget();
      head.forget();
    }
    var _ = body.ensure(batch.rows());
    input.upload(batch, batch.rows(), stream.value());
    copyBlocks(batch.copies());
    body.run(batch.rows(), stream.value());
    picks = batch.picks();
    if (picks > 0) {
      runHead(0);
    } else {
      DriverCalls.synchronize(stream.value());
    }
  }

  private void copyBlocks(int count) {
    if (count == 0) {
      return;
    }
    try (var arena = Arena.ofConfined()) {
      int blocks = Math.toIntExact(Math.ceilDiv(cache.blockBytes() / 16, 256));
      new Launch(kernels.function("copy_blocks", 0), 256, 0, 4, arena)
          .grid(_ -> blocks, _ -> 1)
          .pointer(cache.address())
          .pointer(cache.blockBytes())
          .pointer(input.copies())
          .number(count)
          .run(1, stream.value());
    }
  }

  @Override
  public void logits(int pick, float[] out) {
    Objects.checkIndex(pick, picks);
    if (pick / picksPerChunk != chunk) {
      enter();
      runHead(pick / picksPerChunk);
    }
    long start = (long) Float.BYTES * vocabulary * (pick % picksPerChunk);
    MemorySegment.copy(logits.segment(), JAVA_FLOAT, start, out, 0, vocabulary);
  }

  private void runHead(int wanted) {
    chunk = NONE;
    int first = wanted * picksPerChunk;
    int count = Math.min(picksPerChunk, picks - first);
    var activations = head.ensure(count);
    gather(first, count, activations);
    head.run(count, stream.value());
    download(count, activations);
    DriverCalls.synchronize(stream.value());
    chunk = wanted;
  }

  /** The picked rows of the body's output become the head's input. */
  private void gather(int first, int count, Activations target) {
    var from = body.ensure(1);
    var input = head.input();
    try (var arena = Arena.ofConfined()) {
      new Launch(kernels.function("gather_f32", 0), 256, 0, 6, arena)
          .grid(rows -> rows, _ -> 1)
          .pointer(from.address(body.output()))
          .number(from.stride(body.output()))
          .pointer(this.input.picks(first))
          .pointer(target.address(input))
          .number(target.stride(input))
          .number(input.width())
          .run(count, stream.value());
    }
  }

  private void download(int count, Activations from) {
    var output = head.output();
    long source = from.address(output);
    long row = (long) Float.BYTES * vocabulary;
    if (from.stride(output) == vocabulary) {
      DriverCalls.download(logits.segment(), source, row * count, stream.value());
      return;
    }
    long stride = (long) Float.BYTES * from.stride(output);
    for (int i = 0; i < count; i++) {
      var target = logits.segment().asSlice(row * i, row);
      DriverCalls.download(target, source + stride * i, row, stream.value());
    }
  }

  @Override
  public void close() {
    gpu.enter(); // this thread may be a third one
    owned.close();
  }
}
