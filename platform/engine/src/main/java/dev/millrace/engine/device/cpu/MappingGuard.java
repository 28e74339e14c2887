package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Watches a mapped file, so that pages it loses read as zeros and are told, instead of ending the
 * process ({@code kernels/cpu/guard.c}). Without the library of native kernels nothing is watched:
 * then only Java reads mappings, and the JVM throws an {@link InternalError} for such a page. Any
 * thread, but closed once, before the mapping is.
 */
public final class MappingGuard implements AutoCloseable {
  private static final VarHandle COUNT = JAVA_LONG.varHandle();
  private static final long NONE = -1;

  private final long number;
  private volatile long seen;

  private MappingGuard(long number) {
    this.number = number;
    this.seen = number == NONE ? 0 : losses();
  }

  private record Functions(
      MethodHandle watch, MethodHandle forget, MethodHandle lost, MemorySegment losses) {}

  private static final class Linked {
    static final Functions FUNCTIONS = link();
  }

  @SuppressWarnings("restricted") // a counter of the library's
  private static Functions link() {
    var library = NativeLibrary.get();
    var count = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG);
    var losses = library.function("guard_losses", FunctionDescriptor.of(JAVA_LONG));
    try {
      return new Functions(
          library.function("guard_watch", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG)),
          library.function("guard_forget", FunctionDescriptor.ofVoid(JAVA_LONG)),
          library.function("guard_lost", count),
          MemorySegment.ofAddress((long) losses.invokeExact()).reinterpret(Long.BYTES));
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** Watches a mapping, which begins on a page and has at least one byte. */
  public static MappingGuard watch(MemorySegment mapping) {
    if (!NativeLibrary.get().present() || mapping.byteSize() == 0) {
      return new MappingGuard(NONE);
    }
    try {
      return new MappingGuard(
          (long) Linked.FUNCTIONS.watch().invokeExact(mapping.address(), mapping.byteSize()));
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /** Whether a page of it could not be read since it is watched. Costs a look at a counter. */
  public boolean lost() {
    if (number == NONE) {
      return false;
    }
    long now = losses();
    if (now == seen) {
      return false;
    }
    try {
      if ((long) Linked.FUNCTIONS.lost().invokeExact(number) != 0) {
        return true;
      }
    } catch (Throwable e) {
      throw failed(e);
    }
    seen = now; // another mapping's
    return false;
  }

  private static long losses() {
    return (long) COUNT.getVolatile(Linked.FUNCTIONS.losses(), 0L);
  }

  @Override
  public void close() {
    if (number != NONE) {
      try {
        Linked.FUNCTIONS.forget().invokeExact(number);
      } catch (Throwable e) {
        throw failed(e);
      }
    }
  }

  private static LinkageError failed(Throwable cause) {
    return new LinkageError("the guard of mapped files was called wrongly", cause);
  }
}
