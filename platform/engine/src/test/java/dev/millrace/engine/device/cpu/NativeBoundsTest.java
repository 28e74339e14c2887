package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * No kernel reads or writes beyond what it is given, at sizes that fill no vector, block or tile.
 * What they compute is {@code DeviceContract}'s to say.
 */
class NativeBoundsTest {
  private static final int[] WIDTHS = {1, 15, 17, 31, 33, 63, 129, 257, 530};
  private static final int[] TOKENS = {1, 2, 3, 7, 17, 33, 97};

  /** A library's kernels. */
  record Kernels(NativeLibrary library, InstructionSet set, LinearActivations activations) {
    NativeFunctions functions() {
      return new NativeFunctions(library, set, activations);
    }

    NativeDevice device() {
      return new NativeDevice(library, set, activations, 1);
    }

    @Override
    public String toString() {
      return set.label() + " " + activations;
    }
  }

  /** Those that the machine has, and AMX's on emulated tiles. */
  static List<Kernels> kernels() {
    var kernels = new ArrayList<Kernels>();
    var own = NativeLibrary.get();
    NativeLibrary.sets()
        .forEach(set -> kernels.add(new Kernels(own, set, LinearActivations.FLOAT)));
    if (own.multipliesBytes()) {
      var fastest = NativeLibrary.sets().getFirst();
      kernels.add(new Kernels(own, fastest, LinearActivations.INT8));
    }
    var emulated =
        Path.of(
            System.getProperty("millrace.root", "../.."),
            "kernels/target/emulated-cpu/libmillrace_cpu.so");
    if (Files.exists(emulated)) {
      var library = NativeLibrary.open(emulated.toAbsolutePath());
      if (library.has(InstructionSet.AMX)) {
        kernels.add(new Kernels(library, InstructionSet.AMX, LinearActivations.FLOAT));
      }
    }
    return kernels;
  }

  private final SplittableRandom random = new SplittableRandom(3);

  /** Numbers of any kind, at an address that suits no vector. */
  private record Matrix(DeviceFormat format, int rows, int cols, MemorySegment packed)
      implements QuantizedMatrix {
    @Override
    public void decodeRow(int row, float[] out) {
      throw new AssertionError("kernels decode by themselves");
    }
  }

  private static List<DeviceFormat> formats() {
    return List.of(
        new DeviceFormat.F32(),
        new DeviceFormat.Bf16(),
        new DeviceFormat.F16(),
        new DeviceFormat.Int8(0, false),
        new DeviceFormat.Int8(16, true),
        new DeviceFormat.Int8(128, false),
        new DeviceFormat.Int4(16, true),
        new DeviceFormat.Int4(32, false),
        new DeviceFormat.Int4(128, true),
        new DeviceFormat.Int8(0, true, ScaleType.F16),
        new DeviceFormat.Int4(32, false, ScaleType.F16),
        new DeviceFormat.Int4(32, true, ScaleType.BF16),
        new DeviceFormat.Int8(16, false, ScaleType.TWO_LEVEL),
        new DeviceFormat.Int4(32, true, ScaleType.TWO_LEVEL),
        new DeviceFormat.Int4(128, false, ScaleType.TWO_LEVEL),
        new DeviceFormat.Code4(16),
        new DeviceFormat.Code4(64),
        new DeviceFormat.Fp8(1, 0),
        new DeviceFormat.Fp8(128, 128));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void products(Kernels kernels) {
    try (var device = kernels.device();
        var workers = new Workers(1)) {
      for (var format : formats()) {
        for (int width : WIDTHS) {
          multiply(device, kernels.functions(), workers, format, width);
        }
      }
    }
  }

  private void multiply(
      Device device, NativeFunctions functions, Workers workers, DeviceFormat format, int width) {
    int outputs = width + 6;
    for (int tokens : TOKENS) {
      try (var fence = new Fence();
          var constants = new NativeConstants(functions, workers.count())) {
        long bytes = PackedLayout.of(format, outputs, width).length();
        var matrix = new Matrix(format, outputs, width, random(fence.allocate(bytes)));
        var linear = MatrixLinear.withoutBias("fenced", List.of(device.arranged(matrix)));
        var product = new NativeProduct(functions, constants, workers);
        var x = rows(fence, tokens, width);
        var out = rows(fence, tokens, outputs);
        constants.lend(linear, () -> product.run(linear, x, out, tokens));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void rowsOfActivations(Kernels kernels) {
    var functions = kernels.functions();
    for (int width : WIDTHS) {
      for (int tokens : TOKENS) {
        try (var fence = new Fence()) {
          var x = rows(fence, tokens, width);
          var y = rows(fence, tokens, width);
          var out = rows(fence, tokens, width);
          long weight = numbers(fence, width).address();
          long bias = numbers(fence, width).address();
          for (long layer = 0; layer <= 1; layer++) {
            functions.norm(x, out, width, weight, bias, 1e-5f, layer, 0, tokens);
          }
          functions.add(x, y, out, 0, tokens);
          functions.scale(x, out, 2, 0, tokens);
          functions.softCap(x, out, 3, 0, tokens);
          for (long f = 0; f <= 3; f++) {
            functions.activate(f, x, 0, out, 0, tokens);
            functions.activate(f, x, y.address(), out, 0, tokens);
          }
          var order = fence.allocate((long) Integer.BYTES * width);
          for (int i = 0; i < width; i++) {
            order.setAtIndex(JAVA_INT, i, width - 1 - i);
          }
          functions.reorder(x, out, order.address(), tokens);
        }
      }
    }
  }

  /** One sequence in blocks of three tokens, each block a run of its own. */
  @ParameterizedTest
  @MethodSource("kernels")
  void attention(Kernels kernels) {
    var functions = kernels.functions();
    for (int type = 0; type <= 4; type++) {
      for (int headDim : new int[] {2, 16, 18, 64, 72, 130}) {
        for (int group : new int[] {1, 2, 3, 5}) {
          attend(functions, type, headDim, group, 8, 0);
        }
      }
      attend(functions, type, 18, 3, 2 * NativeAttention.PART + 5, 2 * NativeAttention.PART - 1);
    }
  }

  /** Appends so many tokens and attends with all but the first ones. */
  private void attend(
      NativeFunctions functions, int type, int headDim, int group, int tokens, int first) {
    int blockSize = 3;
    int kvHeads = 2;
    long headBytes =
        switch (type) {
          case 0 -> 4L * headDim;
          case 1, 2 -> 2L * headDim;
          case 3 -> headDim;
          default -> headDim + 4L;
        };
    long blockBytes = 2L * blockSize * kvHeads * headBytes;
    int blocks = Math.ceilDiv(tokens, blockSize);
    try (var fence = new Fence();
        var arena = Arena.ofConfined()) {
      var positions = fence.allocate(4L * tokens);
      var tables = fence.allocate(8L * tokens);
      var table = fence.allocate(4L * blocks);
      var slabs = fence.allocate(8L * blocks);
      for (int i = 0; i < blocks; i++) {
        table.setAtIndex(JAVA_INT, i, i);
        slabs.setAtIndex(JAVA_LONG, i, fence.allocate(blockBytes).address());
      }
      for (int i = 0; i < tokens; i++) {
        positions.setAtIndex(JAVA_INT, i, i);
      }
      var step =
          arena.allocateFrom(
              JAVA_LONG,
              positions.address(),
              tables.address(),
              table.address(),
              slabs.address(),
              1,
              blockBytes,
              blockSize,
              type);
      long one = Double.doubleToRawLongBits(1);
      var attention =
          arena.allocateFrom(
              JAVA_LONG, 0, kvHeads * (long) group, kvHeads, headDim, 0, 0, 0, one, one);
      var still = new Angles(null);
      var k = rows(fence, tokens, kvHeads * headDim);
      var q = rows(fence, tokens, kvHeads * group * headDim);
      var out = rows(fence, tokens, kvHeads * group * headDim);
      long scratch = numbers(fence, NativeAttention.scratch(headDim, group, tokens)).address();
      long at = attention.address();
      var attending = functions.attention();
      attending.append(step.address(), at, k, k, still, scratch, 0, tokens);
      int begin = first * kvHeads;
      int end = tokens * kvHeads;
      var queries = new AttentionFunctions.Queries(step.address(), at, q, still);
      attending.attend(queries, out, scratch, begin, end);
      int parts = Math.ceilDiv(tokens, NativeAttention.PART);
      int width = NativeAttention.results(headDim, group);
      long results = fence.allocate((long) Float.BYTES * end * parts * width).address();
      attending.attendParts(queries, results, parts, scratch, begin * parts, end * parts);
      attending.mergeParts(queries, results, parts, out, begin, end);
    }
  }

  private Rows rows(Fence fence, int count, int width) {
    return new Rows(numbers(fence, count * width), 0, width, width);
  }

  private MemorySegment numbers(Fence fence, int count) {
    var numbers = fence.allocate((long) Float.BYTES * count);
    for (int i = 0; i < count; i++) {
      numbers.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return numbers;
  }

  private MemorySegment random(MemorySegment memory) {
    for (long i = 0; i < memory.byteSize(); i++) {
      memory.set(JAVA_BYTE, i, (byte) random.nextInt());
    }
    return memory;
  }
}
