package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.Value;
import org.jspecify.annotations.Nullable;

/** Compiles products with weights. Entered threads only. */
final class ProductCompiler {
  private static final int ALIGNMENT = 16;

  /** Blocks of {@code multiply_few} of codes that a multiprocessor has room for. */
  private static final int SPAN_BLOCKS = 2;

  /** In place of an activation. */
  private static final int PLAIN = -1;

  private final LaunchList list;
  private final Weights weights;
  private final @Nullable BlasUses blas;
  private final boolean invariant;
  private final int capacity;
  private final int multiprocessors;

  /**
   * For one program.
   *
   * @param capacity rows that the list's activations are made for
   */
  ProductCompiler(LaunchList list, ProgramCompiler.Parts parts, int capacity) {
    this.list = list;
    this.weights = parts.weights();
    this.blas = parts.blas();
    this.invariant = parts.invariant();
    this.capacity = capacity;
    this.multiprocessors = parts.multiprocessors();
  }

  /** Rows that are multiplied. */
  private record Input(long address, int stride, Precision type) {}

  /**
   * A product of all rows with one matrix, and where it goes.
   *
   * @param bias address, 0 if there is none; {@code narrowBias} of the same in BF16
   */
  private record Product(
      Input x,
      DeviceMatrix matrix,
      long bias,
      long narrowBias,
      Value value,
      long out,
      boolean wide) {}

  void add(Instruction.Multiply i) {
    int first = 0;
    var types = list.activations().types();
    for (var matrix : weights.linear(i.linear())) {
      long out = list.activations().address(i.out()) + (long) types.of(i.out()).bytes() * first;
      boolean wide =
          types.of(i.x()) == Precision.BFLOAT16 && types.of(i.out()) == Precision.FLOAT32;
      long bias = weights.biasAt(i.linear(), first);
      long narrow = weights.narrowBiasAt(i.linear(), first);
      var x = matrix.order() == 0 ? input(i.x()) : reordered(i, matrix);
      add(new Product(x, matrix, bias, narrow, i.out(), out, wide));
      first += matrix.rows();
    }
  }

  private Input input(Value x) {
    var activations = list.activations();
    return new Input(activations.address(x), activations.stride(x), activations.types().of(x));
  }

  /** Puts the rows' columns in the order of a matrix. */
  private Input reordered(Instruction.Multiply i, DeviceMatrix matrix) {
    var activations = list.activations();
    var precision = activations.types().precision();
    long to = activations.scratch() + ProductPlan.reorderedAt(i.linear(), precision, capacity);
    int across = Math.ceilDiv(matrix.cols(), LaunchList.THREADS);
    var launch =
        list.launch("reorder_" + list.suffix(i.x()), LaunchList.THREADS, 0, 6)
            .grid(StepSize::rows, _ -> across);
    list.value(launch, i.x())
        .pointer(matrix.order())
        .pointer(to)
        .number(matrix.cols())
        .number(matrix.cols());
    return new Input(to, matrix.cols(), activations.types().of(i.x()));
  }

  private static Launch in(Launch launch, Input x) {
    return launch.pointer(x.address).number(x.stride);
  }

  /**
   * A product of codes with the gate that takes it, in one kernel for very few rows.
   *
   * @param apart both of them, for any other step
   */
  Work gated(Instruction.Multiply i, Instruction.Gate gate, Work apart) {
    var activations = list.activations();
    var matrices = weights.linear(i.linear());
    var matrix = matrices.getFirst();
    long bias = weights.biasAt(i.linear(), 0);
    long out = activations.address(gate.out());
    var product = new Product(input(i.x()), matrix, bias, 0, gate.out(), out, false);
    var plan = ProductPlan.of(matrix.format(), matrix.group(), matrix.rows(), matrix.cols());
    if (invariant
        || matrices.size() > 1
        || matrix.order() != 0
        || !plan.spans()
        || !onTensorCores(product)
        || activations.types().of(gate.out()) != Precision.BFLOAT16) {
      return apart;
    }
    var few = spans(product, ProgramCompiler.code(gate.f()));
    return (size, stream) -> (size.rows() > ProductPlan.VERY_FEW ? apart : few).run(size, stream);
  }

  private void add(Product product) {
    var matrix = product.matrix;
    var plan = ProductPlan.of(matrix.format(), matrix.group(), matrix.rows(), matrix.cols());
    if (!onTensorCores(product)) {
      plain(product);
      return;
    }
    switch (plan.kind()) {
      case PLAIN -> plain(product);
      case TENSOR -> list.add(tensor(product, matrix.data()));
      case PACKED -> list.add(invariant ? tiled(product, plan.whole()) : packed(product, plan));
    }
  }

  private static boolean onTensorCores(Product product) {
    var x = product.x;
    return x.type == Precision.BFLOAT16
        && x.address % ALIGNMENT == 0
        && x.stride % (ALIGNMENT / Short.BYTES) == 0;
  }

  private void plain(Product product) {
    var matrix = product.matrix;
    String types = product.wide ? "wide" : product.x.type.suffix();
    int blocks = Math.ceilDiv(matrix.rows(), 4);
    var launch =
        list.launch("multiply_" + types + "_" + matrix.format(), 128, 0, 12)
            .grid(_ -> blocks, size -> Math.ceilDiv(size.rows(), 8));
    out(matrix.in(in(launch, product.x)).pointer(product.bias), product)
        .rows()
        .number(matrix.rows())
        .number(matrix.cols());
  }

  private Launch out(Launch launch, Product product) {
    return launch.pointer(product.out).number(list.activations().stride(product.value));
  }

  /** With a matrix in BF16 at an address, by the library where it can, but for very few rows. */
  private Work tensor(Product product, long data) {
    if (invariant) {
      return ours(product, data);
    }
    var one = few(product, data, 1);
    var two = few(product, data, 2);
    var library = library(product, data);
    var many = library == null ? ours(product, data) : library;
    return (size, stream) -> {
      int rows = size.rows();
      (rows > 2 ? many : rows > 1 ? two : one).run(size, stream);
    };
  }

  private Launch few(Product product, long data, int rows) {
    var matrix = product.matrix;
    int across = Math.ceilDiv(matrix.rows(), 8);
    var launch =
        list.make("multiply_few_" + (product.wide ? "wide_" : "") + rows, LaunchList.THREADS, 0, 9)
            .grid(_ -> across, _ -> 1);
    return out(in(launch, product.x).pointer(data).pointer(product.bias), product)
        .rows()
        .number(matrix.rows())
        .number(matrix.cols());
  }

  private @Nullable Work library(Product product, long data) {
    var matrix = product.matrix;
    var activations = list.activations();
    if (blas == null || product.out % ALIGNMENT != 0 || product.narrowBias % ALIGNMENT != 0) {
      return null;
    }
    var shape =
        BlasShape.bfloat16(
            product.wide ? BlasType.FLOAT32 : BlasType.BFLOAT16,
            product.bias != 0,
            matrix.rows(),
            matrix.cols(),
            product.x.stride,
            activations.stride(product.value));
    long bias = product.wide ? product.bias : product.narrowBias;
    var operands = new BlasLinear.Operands(product.x.address, data, bias, product.out);
    return blas.linear(shape, data, capacity)
        .<Work>map(linear -> (size, stream) -> linear.multiply(operands, size.rows(), stream))
        .orElse(null);
  }

  /** By our own kernels, of which all tiles give the same bits. */
  private Work ours(Product product, long data) {
    var flat = tensor(product, data, TensorTile.FLAT);
    var middle = tensor(product, data, TensorTile.MIDDLE);
    var large = tensor(product, data, TensorTile.LARGE);
    return (size, stream) ->
        (size.rows() <= 16 ? flat : size.rows() <= 64 ? middle : large).run(size, stream);
  }

  private Launch tensor(Product product, long data, TensorTile tile) {
    var matrix = product.matrix;
    int across = Math.ceilDiv(matrix.rows(), tile.outs());
    var launch =
        list.make(tile.symbol(product.wide), tile.threads(), tile.sharedBytes(), 9)
            .grid(_ -> across, size -> Math.ceilDiv(size.rows(), tile.rows()));
    return out(in(launch, product.x).pointer(data).pointer(product.bias), product)
        .rows()
        .number(matrix.rows())
        .number(matrix.cols());
  }

  /** Codes as they lie for few rows, by a kernel of its own for very few; unpacked for many. */
  private Work packed(Product product, ProductPlan plan) {
    var some = tiled(product, plan);
    var few = plan.spans() ? spans(product, PLAIN) : some;
    var unpack = unpack(product.matrix);
    var many = tensor(product, list.activations().scratch());
    return (size, stream) -> {
      if (size.rows() <= ProductPlan.FEW) {
        (size.rows() <= ProductPlan.VERY_FEW ? few : some).run(size, stream);
      } else {
        unpack.run(size, stream);
        many.run(size, stream);
      }
    };
  }

  /** {@code f} is the activation of a gate, whose bands are of eight features, or below 0. */
  private Work spans(Product product, int f) {
    var few = spans(product, f, ProductPlan.VERY_FEW / 2);
    var more = spans(product, f, ProductPlan.VERY_FEW);
    return (size, stream) ->
        (size.rows() <= ProductPlan.VERY_FEW / 2 ? few : more).run(size, stream);
  }

  private Launch spans(Product product, int f, int rows) {
    var matrix = product.matrix;
    int bands = f < 0 ? Math.ceilDiv(matrix.rows(), 16) : Math.ceilDiv(matrix.rows() / 2, 8);
    int rounds = Math.ceilDiv(bands, SPAN_BLOCKS * multiprocessors);
    int across = Math.ceilDiv(bands, rounds);
    String symbol = "multiply_few_" + matrix.format() + "_" + rows;
    var launch = list.make(symbol, LaunchList.THREADS, 0, 14).grid(_ -> across, _ -> 1);
    return out(matrix.in(in(launch, product.x)).pointer(product.bias), product)
        .number(product.wide ? 1 : 0)
        .rows()
        .number(matrix.rows())
        .number(matrix.cols())
        .number(f);
  }

  /** Codes as they lie for any rows, by kernels of which all give the same bits. */
  private Work tiled(Product product, ProductPlan plan) {
    var one = packed(product, plan, 8);
    var narrow = packed(product, plan, 16);
    var broad = packed(product, plan, 32);
    return (size, stream) ->
        (size.rows() <= 8 ? one : size.rows() <= 16 ? narrow : broad).run(size, stream);
  }

  private Launch packed(Product product, ProductPlan plan, int rows) {
    var matrix = product.matrix;
    var tile = PackedTile.of(matrix.format(), rows);
    int down = Math.ceilDiv(matrix.rows(), tile.features());
    var launch =
        list.make(tile.symbol(), PackedTile.THREADS, tile.sharedBytes(), 15)
            .grid(size -> Math.ceilDiv(size.rows(), rows), _ -> down)
            .layers(plan.parts());
    return out(matrix.in(in(launch, product.x)).pointer(product.bias), product)
        .number(product.wide ? 1 : 0)
        .rows()
        .number(matrix.rows())
        .number(matrix.cols())
        .number(plan.partColumns())
        .pointer(list.activations().scratch());
  }

  private Launch unpack(DeviceMatrix matrix) {
    int across = Math.ceilDiv(matrix.cols(), LaunchList.THREADS);
    var launch =
        list.make("unpack_" + matrix.format(), LaunchList.THREADS, 0, 6)
            .grid(_ -> matrix.rows(), _ -> across);
    return matrix.in(launch).pointer(list.activations().scratch()).number(matrix.cols());
  }
}
