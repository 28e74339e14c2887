package dev.millrace.engine.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Memory that the system zeroes page by page, for the thread that touches it first: {@link
 * Arena#allocate} would do so at once, on one thread, and what is overwritten anyway would be
 * written twice. The system is asked for large pages, of which fewer have to be found. Pieces
 * follow one another without regard to pages, so that small ones have large pages, too.
 *
 * <p>Source: mmap(2), madvise(2), on Linux; elsewhere the arena allocates. Thread-safe.
 */
@SuppressWarnings("restricted") // mmap has no Java interface for memory without a file
public final class FreshPages {
  private static final long LARGE_PAGE = 2 << 20;
  private static final long LARGEST_RUN = 64 << 20;

  private static final int READ_AND_WRITE = 3;
  private static final int PRIVATE_AND_ANONYMOUS = 0x22;
  private static final int LARGE_PAGES = 14;
  private static final long FAILED = -1;

  private static final Optional<Calls> CALLS =
      System.getProperty("os.name").equals("Linux") ? Calls.find() : Optional.empty();

  private final Arena arena;

  /** What is left of the pages that were mapped last. */
  private MemorySegment left = MemorySegment.NULL;

  private long used;

  /** Memory that lives as long as an arena. */
  public FreshPages(Arena arena) {
    this.arena = arena;
  }

  /**
   * Zeroed memory.
   *
   * @param alignment in bytes, at most a page's
   * @throws OutOfMemoryError if the system has none left
   */
  public synchronized MemorySegment allocate(long bytes, int alignment) {
    if (CALLS.isEmpty()) {
      return arena.allocate(bytes, alignment);
    }
    long begin = -left.address() & (alignment - 1);
    if (left.byteSize() - begin < bytes) {
      left = map(CALLS.get(), bytes);
      begin = 0;
    }
    var piece = left.asSlice(begin, bytes);
    left = left.asSlice(begin + bytes);
    used += bytes;
    return piece;
  }

  /** Large pages for so much and, once there is more, for as much again as was used. */
  private MemorySegment map(Calls calls, long bytes) {
    long more = Math.max(bytes, Math.min(used, LARGEST_RUN));
    if (more > Long.MAX_VALUE - 2 * LARGE_PAGE) {
      throw new OutOfMemoryError("pages for " + bytes + " bytes");
    }
    long length = Math.ceilDiv(more, LARGE_PAGE) * LARGE_PAGE;
    long mapped = length + LARGE_PAGE; // they begin somewhere in it
    long address = calls.map(mapped);
    if (address == FAILED) {
      throw new OutOfMemoryError("pages for " + bytes + " bytes");
    }
    var all = MemorySegment.ofAddress(address).reinterpret(mapped, arena, calls::unmap);
    calls.askForLargePages(all);
    return all.asSlice(-address & (LARGE_PAGE - 1), length);
  }

  private record Calls(MethodHandle map, MethodHandle unmap, MethodHandle advise) {
    static Optional<Calls> find() {
      var map =
          SystemFunction.find(
              "mmap",
              FunctionDescriptor.of(
                  JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
      var unmap =
          SystemFunction.find("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
      var advise =
          SystemFunction.find(
              "madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
      return map.isEmpty() || unmap.isEmpty() || advise.isEmpty()
          ? Optional.empty()
          : Optional.of(new Calls(map.get(), unmap.get(), advise.get()));
    }

    long map(long bytes) {
      try {
        return (long)
            map.invokeExact(
                MemorySegment.NULL, bytes, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    void unmap(MemorySegment pages) {
      try {
        int _ = (int) unmap.invokeExact(pages, pages.byteSize());
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    void askForLargePages(MemorySegment pages) {
      try {
        int _ = (int) advise.invokeExact(pages, pages.byteSize(), LARGE_PAGES);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
