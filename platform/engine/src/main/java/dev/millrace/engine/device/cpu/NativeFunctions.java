package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The functions of {@code kernels/cpu}, each on the calling thread. Numbers are counted in longs,
 * memory is given by its address; nothing is checked here.
 */
final class NativeFunctions {
  private final boolean largeSlices;
  private final boolean bands;
  private final MethodHandle norm;
  private final MethodHandle add;
  private final MethodHandle scale;
  private final MethodHandle softCap;
  private final MethodHandle activate;
  private final MethodHandle product;
  private final MethodHandle reorder;
  private final MethodHandle arrangeBands;
  private final @Nullable MethodHandle roundRows;
  private final @Nullable MethodHandle roundedProduct;
  private final @Nullable MethodHandle quantiseRows;
  private final @Nullable MethodHandle integerProduct;
  private final AttentionFunctions attention;

  /**
   * Functions of a library that has the set.
   *
   * @param activations with {@code INT8}, of a library that {@linkplain
   *     NativeLibrary#multipliesBytes multiplies bytes}
   */
  NativeFunctions(NativeLibrary library, InstructionSet set, LinearActivations activations) {
    largeSlices = set.takesLargeSlices();
    bands = set.takesBands();
    norm = library.function("norm", set, signature("LLLLLLLLFLLL"));
    add = library.function("add", set, signature("LLLLLLLLL"));
    scale = library.function("scale", set, signature("LLLLLFLL"));
    softCap = library.function("soft_cap", set, signature("LLLLLFLL"));
    activate = library.function("activate", set, signature("LLLLLLLLL"));
    product = library.function("product", set, signature("LLLLLLLLL"));
    reorder = library.function("reorder", set, signature("LLLLLL"));
    arrangeBands =
        library.function("arrange_bands", FunctionDescriptor.ofVoid(signature("LLLLLLL")));
    boolean rounds = set.roundsActivations();
    roundRows = rounds ? library.function("round_rows", set, signature("LLLLLLL")) : null;
    roundedProduct =
        rounds ? library.function("rounded_product", set, signature("LLLLLLLLL")) : null;
    boolean bytes = activations == LinearActivations.INT8;
    quantiseRows = bytes ? library.byteFunction("quantise_rows", signature("LLLLLL")) : null;
    integerProduct = bytes ? library.byteFunction("integer_product", signature("LLLLLLLL")) : null;
    attention = new AttentionFunctions(library, set);
  }

  /** A long or a float for each L and F. */
  static MemoryLayout[] signature(String letters) {
    return letters
        .chars()
        .mapToObj(c -> c == 'F' ? JAVA_FLOAT : JAVA_LONG)
        .toArray(MemoryLayout[]::new);
  }

  /** Runs of {@code width} numbers of rows of x are normalised. */
  void norm(
      Rows x,
      Rows out,
      long width,
      long weight,
      long bias,
      float eps,
      long layer,
      int first,
      int end) {
    try {
      norm.invokeExact(
          x.address(),
          (long) x.stride(),
          out.address(),
          (long) out.stride(),
          (long) x.width(),
          width,
          weight,
          bias,
          eps,
          layer,
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  void add(Rows a, Rows b, Rows out, int first, int end) {
    try {
      add.invokeExact(
          a.address(),
          (long) a.stride(),
          b.address(),
          (long) b.stride(),
          out.address(),
          (long) out.stride(),
          (long) out.width(),
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  void scale(Rows x, Rows out, float by, int first, int end) {
    try {
      scale.invokeExact(
          x.address(),
          (long) x.stride(),
          out.address(),
          (long) out.stride(),
          (long) out.width(),
          by,
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  void softCap(Rows x, Rows out, float cap, int first, int end) {
    try {
      softCap.invokeExact(
          x.address(),
          (long) x.stride(),
          out.address(),
          (long) out.stride(),
          (long) out.width(),
          cap,
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** {@code f(x)}, times what lies at {@code up} unless that is 0. */
  void activate(long f, Rows x, long up, Rows out, int first, int end) {
    try {
      activate.invokeExact(
          f,
          x.address(),
          (long) x.stride(),
          up,
          out.address(),
          (long) out.stride(),
          (long) out.width(),
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** The slice's rows of its matrix, times all tokens. */
  void product(NativeLinear.Slice slice, Rows x, long out, long outStride, long bias, int tokens) {
    var matrix = slice.matrix();
    try {
      product.invokeExact(
          matrix.struct().address(),
          x.address(),
          (long) x.stride(),
          out,
          outStride,
          bias,
          (long) slice.first(),
          (long) slice.end(),
          (long) tokens);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** Column {@code c} of out is column {@code order[c]} of x. */
  void reorder(Rows x, Rows out, long order, int rows) {
    try {
      reorder.invokeExact(
          x.address(), (long) x.stride(), out.address(), (long) out.width(), order, (long) rows);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /**
   * Whether a product with such activations takes its matrix in {@linkplain BandedMatrix bands}.
   */
  boolean takesBands(Operand operand, DeviceFormat format) {
    return switch (operand) {
      case FLOATS, ROUNDED -> false;
      case ROUNDED_FOR_NIBBLES -> bands;
      case BYTES -> BandedMatrix.takes(format);
    };
  }

  /**
   * Puts rows into bands, or back, where they lie.
   *
   * @param lines of so many rows, from the first of a band on
   * @param scratch as long as a band
   */
  void arrangeBands(
      MemorySegment lines, int rows, BandLine line, boolean back, MemorySegment scratch) {
    try {
      arrangeBands.invokeExact(
          lines.address(),
          (long) rows,
          (long) line.factors(),
          (long) line.width(),
          (long) line.elements(),
          back ? 1L : 0L,
          scratch.address());
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /**
   * Whether many tokens are best multiplied with {@linkplain NativeLinear.Group#many large slices}.
   */
  boolean largeSlices() {
    return largeSlices;
  }

  /** Whether there are {@link #roundRows} and {@link #roundedProduct}. */
  boolean rounds() {
    return roundedProduct != null;
  }

  /**
   * Rows of x in BF16, for {@link #roundedProduct}.
   *
   * @param nibbles whether for matrices with two codes in a byte
   */
  void roundRows(Rows x, long out, boolean nibbles, int first, int end) {
    try {
      Objects.requireNonNull(roundRows)
          .invokeExact(
              x.address(),
              (long) x.stride(),
              out,
              (long) x.width(),
              nibbles ? 1L : 0L,
              (long) first,
              (long) end);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** As {@link #product}, of what {@link #roundRows} gave. */
  void roundedProduct(
      NativeLinear.Slice slice,
      long x,
      long out,
      long outStride,
      long bias,
      int tokens,
      long scratch) {
    var matrix = slice.matrix();
    try {
      Objects.requireNonNull(roundedProduct)
          .invokeExact(
              matrix.struct().address(),
              x,
              out,
              outStride,
              bias,
              (long) slice.first(),
              (long) slice.end(),
              (long) tokens,
              scratch);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** Whether there are {@link #quantiseRows} and {@link #integerProduct}. */
  boolean quantises() {
    return integerProduct != null;
  }

  /** Rows of x as tiles of bytes, for {@link #integerProduct}. */
  void quantiseRows(Rows x, long out, int first, int end) {
    try {
      Objects.requireNonNull(quantiseRows)
          .invokeExact(
              x.address(), (long) x.stride(), out, (long) x.width(), (long) first, (long) end);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** As {@link #product}, of what {@link #quantiseRows} gave. */
  void integerProduct(
      NativeLinear.Slice slice, long x, long out, long outStride, long bias, int tokens) {
    var matrix = slice.matrix();
    try {
      Objects.requireNonNull(integerProduct)
          .invokeExact(
              matrix.struct().address(),
              x,
              out,
              outStride,
              bias,
              (long) slice.first(),
              (long) slice.end(),
              (long) tokens);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** Those of attention. */
  AttentionFunctions attention() {
    return attention;
  }

  static LinkageError failed(Throwable cause) {
    return new LinkageError("a native kernel was called wrongly", cause);
  }
}
