package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.Program;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * The CPU with native kernels. Activations are F32 and weights what they stand for, exactly; but
 * where the instruction set multiplies BF16 numbers, linears whose weights are BF16 or fewer bits
 * round their activations to BF16, and so they do weights of a byte in groups, and sum in F32.
 * {@link LinearActivations#INT8} goes further. Four-bit codes are kept in bands ({@link
 * BandedMatrix}) where kernels take them so.
 */
public final class NativeDevice extends CpuDevice {
  private final NativeFunctions functions;

  /**
   * Starts the worker threads.
   *
   * @param set one of {@link NativeLibrary#sets()}
   * @param threads at least 1, the engine thread included
   */
  public NativeDevice(InstructionSet set, int threads) {
    this(NativeLibrary.get(), set, LinearActivations.FLOAT, threads);
  }

  /**
   * Computes with a library.
   *
   * @param set that the library {@linkplain NativeLibrary#has has}
   * @param activations INT8 where the library {@linkplain NativeLibrary#multipliesBytes multiplies
   *     bytes}
   */
  public NativeDevice(
      NativeLibrary library, InstructionSet set, LinearActivations activations, int threads) {
    super(name(set, activations), threads);
    this.functions = new NativeFunctions(library, set, activations);
  }

  private static String name(InstructionSet set, LinearActivations activations) {
    return switch (activations) {
      case FLOAT -> set.label();
      case INT8 -> set.label() + "+int8";
    };
  }

  /**
   * BF16 where activations are rounded to it and no matrix is finer, as a model of that type is
   * computed everywhere; else F32, beside activations in INT8 too, which err enough by themselves.
   */
  @Override
  public KvDtype kvDtype(Model model, ModelSpec spec) {
    boolean finer =
        Program.hidden(model, spec).finerThanBfloat16()
            || Program.head(model, spec).finerThanBfloat16();
    boolean rounds = functions.rounds() && !functions.quantises();
    return rounds && !finer ? KvDtype.BFLOAT16 : KvDtype.FLOAT32;
  }

  @Override
  public QuantizedMatrix arranged(QuantizedMatrix matrix) {
    var format = matrix.format();
    var packed = matrix.packed();
    boolean ours = packed.isNative() && !packed.isReadOnly();
    return ours
            && BandedMatrix.takes(format)
            && functions.takesBands(Operand.of(format, false, functions), format)
        ? BandedMatrix.inPlace(matrix, functions)
        : matrix;
  }

  @Override
  Kernels kernels(Program hidden, Program head, PagedKv kv, Workers shared) {
    return new NativeKernels(functions, hidden, head, kv, shared);
  }
}
