package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * What a core of this machine does at best: native loops that only multiply, or only read. Speeds
 * of kernels are given as shares of it. Any thread.
 */
public final class MachineLimits {
  /** What multiplies, the slowest first. */
  public enum Unit {
    AVX2(0),
    AVX512(1),
    AMX(2);

    private final long number;

    Unit(long number) {
      this.number = number;
    }
  }

  /** What is multiplied; products are summed in numbers of 32 bits. */
  public enum Numbers {
    F32(0),
    BF16(1),
    INT8(2);

    private final long number;

    Numbers(long number) {
      this.number = number;
    }
  }

  /** One loop. */
  public record Kind(Unit unit, Numbers numbers) {}

  private static final long FEW = 1;

  /** Bytes that a round of reading takes. */
  private static final long RUN = 256;

  private final MethodHandle peak;
  private final MethodHandle read;

  private MachineLimits(MethodHandle peak, MethodHandle read) {
    this.peak = peak;
    this.read = read;
  }

  /**
   * Gets it ready.
   *
   * @throws IllegalStateException where {@link NativeLibrary#lack} is not empty
   */
  public static MachineLimits open() {
    var library = NativeLibrary.get();
    return new MachineLimits(
        library.function("peak", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG)),
        library.function("read_memory", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG)));
  }

  /** What this processor can multiply, each kind of numbers by its fastest unit. */
  public List<Kind> kinds() {
    return List.of(Numbers.values()).stream()
        .flatMap(numbers ->
            List.of(Unit.values()).reversed().stream()
                .map(unit -> new Kind(unit, numbers))
                .filter(kind -> multiply(kind, FEW) > 0)
                .limit(1))
        .toList();
  }

  /**
   * Multiplies on the calling thread, for some nanoseconds a round.
   *
   * @return operations that were done, a product and its sum being two; 0 if the processor cannot
   */
  public long multiply(Kind kind, long rounds) {
    try {
      return (long) peak.invokeExact(kind.unit().number, kind.numbers().number, rounds);
    } catch (Throwable e) {
      throw new LinkageError("a native loop was called wrongly", e);
    }
  }

  /**
   * Reads memory on the calling thread, in order.
   *
   * @param memory native; what is left after a multiple of 256 bytes is not read
   * @return its words of 64 bits, by exclusive or
   */
  public long read(MemorySegment memory) {
    try {
      return (long) read.invokeExact(memory.address(), memory.byteSize() / RUN * RUN);
    } catch (Throwable e) {
      throw new LinkageError("a native loop was called wrongly", e);
    }
  }
}
