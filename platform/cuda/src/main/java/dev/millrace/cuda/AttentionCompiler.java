package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.KvDtype;
import java.util.HashMap;
import java.util.Map;

/**
 * Compiles attention: keys and values are appended for all rows of the step; then rows of BF16 are
 * attended for on tensor cores, those of prompts in tiles and single ones by parts of their
 * context, and other rows plainly. Entered threads only.
 */
final class AttentionCompiler {
  /** Query heads of a KV head that the kernels on tensor cores can take. */
  private static final int MOST_SHARED = 8;

  /** Heads that a block appends. */
  private static final int HEADS = 4;

  private static final int QUERIES_PER_TILE = 128;

  private final LaunchList list;
  private final Weights weights;
  private final KvCache cache;
  private final StepInput input;
  private final int capacity;
  private final int multiprocessors;

  /** The windows for which the parts of this program's rows are already planned, and where. */
  private final Map<Integer, DecodeParts> planned = new HashMap<>();

  AttentionCompiler(
      LaunchList list,
      Weights weights,
      KvCache cache,
      StepInput input,
      int capacity,
      int multiprocessors) {
    this.list = list;
    this.weights = weights;
    this.cache = cache;
    this.input = input;
    this.capacity = capacity;
    this.multiprocessors = multiprocessors;
  }

  /** Whether attention of a layer is computed on tensor cores. */
  static boolean onTensorCores(Instruction.Attend i, Precision precision, KvDtype dtype) {
    int dim = i.attention().headDim();
    return precision == Precision.BFLOAT16
        && dtype == KvDtype.BFLOAT16
        && (dim == 64 || dim == 128)
        && i.q().width() / i.k().width() <= MOST_SHARED;
  }

  /** Blocks that take parts of contexts, all at a time. */
  static int decodeBlocks(int multiprocessors) {
    return 2 * multiprocessors;
  }

  /** Rows of a tile that any layer can take whose heads are shared so. */
  static int rowsPerTile(Instruction.Attend i) {
    return QUERIES_PER_TILE / (i.q().width() / i.k().width());
  }

  void add(Instruction.Attend i) {
    append(i);
    if (onTensorCores(i, list.activations().types().precision(), cache.dtype())) {
      decode(i);
      prefill(i);
    } else {
      plain(i);
    }
  }

  private static int heads(Instruction.Attend i) {
    return i.q().width() / i.attention().headDim();
  }

  private static int kvHeads(Instruction.Attend i) {
    return i.k().width() / i.attention().headDim();
  }

  private DecodeScratch scratch(Instruction.Attend i) {
    var precision = list.activations().types().precision();
    boolean parts = onTensorCores(i, precision, cache.dtype());
    int dim = i.attention().headDim();
    long start = list.activations().scratch();
    return DecodeScratch.of(precision, heads(i), dim, parts, start, capacity);
  }

  private void append(Instruction.Attend i) {
    var rope = i.attention().rope();
    int all = Math.ceilDiv(heads(i) + kvHeads(i), HEADS);
    var launch =
        list.launch(
                "append_" + list.suffix(i.q()) + "_" + cache.suffix(), LaunchList.THREADS, 0, 22)
            .grid(StepSize::rows, _ -> all);
    list.value(list.value(list.value(launch, i.q()), i.k()), i.v())
        .pointer(scratch(i).queries())
        .number(heads(i))
        .number(kvHeads(i))
        .number(i.attention().headDim())
        .pointer(rope == null ? 0 : weights.frequencies(rope))
        .number(rope == null ? 0 : rope.inverseFrequencies().length)
        .real(rope == null ? 1 : rope.attentionFactor())
        .number(rope != null && rope.interleaved() ? 1 : 0);
    cache(launch, i.layer()).pointer(input.positions()).pointer(input.sequences());
  }

  private void plain(Instruction.Attend i) {
    var attention = i.attention();
    int heads = heads(i);
    int shared = Float.BYTES * (2 * attention.headDim() + 128);
    var launch =
        list.launch("attend_" + list.suffix(i.q()) + "_" + cache.suffix(), 128, shared, 17)
            .grid(_ -> heads, StepSize::rows)
            .pointer(scratch(i).queries())
            .number(heads)
            .number(kvHeads(i))
            .number(attention.headDim())
            .real(attention.scale())
            .number(attention.window())
            .real(attention.softCap());
    cache(launch, i.layer()).pointer(input.positions()).pointer(input.sequences());
    list.value(launch, i.out());
  }

  private void decode(Instruction.Attend i) {
    int dim = i.attention().headDim();
    int heads = heads(i);
    var scratch = scratch(i);
    var parts = parts(i.attention().window());
    int blocks = decodeBlocks(multiprocessors);
    var attend =
        list.make("decode_" + dim, 128, 896 * dim + 256, 17)
            .grid(_ -> blocks, _ -> 1)
            .pointer(scratch.queries())
            .number(heads)
            .number(kvHeads(i))
            .real(i.attention().scale())
            .real(i.attention().softCap());
    cache(attend, i.layer())
        .pointer(parts.parts())
        .pointer(parts.count())
        .pointer(scratch.sums())
        .pointer(scratch.stats());
    list.value(attend, i.out());
    var merge =
        list.make("merge_decode", dim, 0, 7)
            .grid(StepSize::rows, _ -> heads)
            .pointer(scratch.sums())
            .pointer(scratch.stats())
            .pointer(parts.starts())
            .number(heads)
            .number(dim);
    list.value(merge, i.out());
    list.add((size, stream) -> {
      if (size.decodes()) {
        attend.run(size, stream);
        merge.run(size, stream);
      }
    });
  }

  /** Where the parts of the step's single rows are, planned once for all layers of a window. */
  private DecodeParts parts(int window) {
    var have = planned.get(window);
    if (have != null) {
      return have;
    }
    var made = list.activations().decodeParts(planned.size());
    var plan =
        list.make("plan_decode", LaunchList.THREADS, 0, 8)
            .grid(_ -> 1, _ -> 1)
            .pointer(input.single())
            .pointer(input.sequences())
            .rows()
            .pointer(input.partLength())
            .number(window)
            .pointer(made.parts())
            .pointer(made.starts())
            .pointer(made.count());
    list.add((size, stream) -> {
      if (size.decodes()) {
        plan.run(size, stream);
      }
    });
    planned.put(window, made);
    return made;
  }

  private void prefill(Instruction.Attend i) {
    int kvHeads = kvHeads(i);
    var attention = i.attention();
    int dim = attention.headDim();
    var launch =
        list.make("prefill_" + dim, 128, 768 * dim, 16)
            .grid(StepSize::tiles, _ -> kvHeads)
            .pointer(scratch(i).queries())
            .number(heads(i))
            .number(kvHeads)
            .real(attention.scale())
            .number(attention.window())
            .real(attention.softCap());
    cache(launch, i.layer()).pointer(input.tiles()).pointer(input.positions());
    list.value(launch, i.out());
    list.add((size, stream) -> {
      if (size.tiles() > 0) {
        launch.run(size, stream);
      }
    });
  }

  /** The cache's six parameters. */
  private Launch cache(Launch launch, int layer) {
    return launch
        .pointer(cache.keys(layer))
        .pointer(cache.values(layer))
        .pointer(cache.blockStride(layer))
        .number(cache.blockSize())
        .pointer(input.tables())
        .number(input.tableStride());
  }
}
