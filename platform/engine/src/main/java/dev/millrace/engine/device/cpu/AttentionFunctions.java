package dev.millrace.engine.device.cpu;

import java.lang.invoke.MethodHandle;

/** The functions of {@code kernels/cpu/attention.c}, as {@link NativeFunctions} has the others. */
final class AttentionFunctions {
  /**
   * What a layer attends with.
   *
   * @param step address of the step's struct
   * @param attention address of the layer's
   */
  record Queries(long step, long attention, Rows q, Angles angles) {}

  private final MethodHandle append;
  private final MethodHandle attend;
  private final MethodHandle attendParts;
  private final MethodHandle mergeParts;

  AttentionFunctions(NativeLibrary library, InstructionSet set) {
    var eleven = NativeFunctions.signature("LLLLLLLLLLL");
    append = library.function("append", set, eleven);
    attend = library.function("attend", set, eleven);
    attendParts = library.function("attend_parts", set, eleven);
    mergeParts = library.function("merge_parts", set, NativeFunctions.signature("LLLLLLLL"));
  }

  /** Rows of keys, rotated, and of values go into the cache. */
  void append(
      long step, long attention, Rows k, Rows v, Angles angles, long scratch, int first, int end) {
    try {
      append.invokeExact(
          step,
          attention,
          k.address(),
          (long) k.stride(),
          v.address(),
          (long) v.stride(),
          angles.cosines(),
          angles.sines(),
          scratch,
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw NativeFunctions.failed(e);
    }
  }

  /** Attention of some rows and key-value heads. */
  void attend(Queries of, Rows out, long scratch, int first, int end) {
    attend(attend, of, out.address(), out.stride(), scratch, first, end);
  }

  /** The same of parts of the contexts, for {@link #mergeParts}. */
  void attendParts(Queries of, long results, int parts, long scratch, int first, int end) {
    attend(attendParts, of, results, parts, scratch, first, end);
  }

  private static void attend(
      MethodHandle kernel, Queries of, long to, long width, long scratch, int first, int end) {
    try {
      kernel.invokeExact(
          of.step,
          of.attention,
          of.q.address(),
          (long) of.q.stride(),
          to,
          width,
          of.angles.cosines(),
          of.angles.sines(),
          scratch,
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw NativeFunctions.failed(e);
    }
  }

  /** What {@link #attend} would have given. */
  void mergeParts(Queries of, long results, int parts, Rows out, int first, int end) {
    try {
      mergeParts.invokeExact(
          of.step,
          of.attention,
          results,
          (long) parts,
          out.address(),
          (long) out.stride(),
          (long) first,
          (long) end);
    } catch (Throwable e) {
      throw NativeFunctions.failed(e);
    }
  }
}
