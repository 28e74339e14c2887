package dev.millrace.engine.mapping;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.memory.SystemFunction;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Gives pages of a mapped file back to the system. They stay in the page cache for as long as the
 * system likes, and come back when they are read again.
 *
 * <p>Source: madvise(2), getpagesize(2).
 */
@SuppressWarnings("restricted") // madvise has no Java interface
final class MappedPages {
  /** On Linux and macOS alike. */
  private static final int DONT_NEED = 4;

  private static final Optional<MethodHandle> MADVISE =
      SystemFunction.find("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final long PAGE = pageSize();

  private MappedPages() {}

  /** Gives back the pages that lie in these bytes of a mapping whole; where it cannot, nothing. */
  static void release(MemorySegment bytes) {
    long start = Math.ceilDiv(bytes.address(), PAGE) * PAGE;
    long end = (bytes.address() + bytes.byteSize()) / PAGE * PAGE;
    if (MADVISE.isEmpty() || end <= start) {
      return;
    }
    try {
      // a refusal leaves the pages where they are, which does no harm
      int _ =
          (int) MADVISE.get().invokeExact(MemorySegment.ofAddress(start), end - start, DONT_NEED);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static long pageSize() {
    try {
      var size = SystemFunction.find("getpagesize", FunctionDescriptor.of(JAVA_INT));
      return size.isEmpty() ? Long.MAX_VALUE : (int) size.get().invokeExact();
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
