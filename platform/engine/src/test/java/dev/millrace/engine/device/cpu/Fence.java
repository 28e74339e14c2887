package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory for kernels under test that ends where a page begins that nobody may touch: who reads or
 * writes behind it ends the process. What lies in front of it is looked at on {@link #close}.
 */
@SuppressWarnings("restricted") // pages are the system's
final class Fence implements AutoCloseable {
  private static final long PAGE = 4096;
  private static final byte GUARD = 0x5A;

  private static final int READ_WRITE = 3;
  private static final int PRIVATE_ANONYMOUS = 0x22;
  private static final MethodHandle MMAP =
      handle("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle MPROTECT =
      handle("mprotect", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle MUNMAP = handle("munmap", JAVA_INT, ADDRESS, JAVA_LONG);

  private record Pages(MemorySegment all, long front) {}

  private final List<Pages> pages = new ArrayList<>();

  private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... parameters) {
    var linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, parameters));
  }

  /** Zeros. */
  MemorySegment allocate(long bytes) {
    long usable = (bytes / PAGE + 2) * PAGE;
    try {
      var all =
          ((MemorySegment)
                  MMAP.invokeExact(
                      MemorySegment.NULL, usable + PAGE, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L))
              .reinterpret(usable + PAGE);
      assertEquals(0, (int) MPROTECT.invokeExact(all.asSlice(usable), PAGE, 0));
      long front = usable - bytes;
      all.asSlice(0, front).fill(GUARD);
      pages.add(new Pages(all, front));
      return all.asSlice(front, bytes);
    } catch (Throwable e) {
      throw new LinkageError("no pages", e);
    }
  }

  @Override
  public void close() {
    for (var some : pages) {
      for (long at = 0; at < some.front(); at++) {
        assertEquals(GUARD, some.all().get(JAVA_BYTE, at), "written in front");
      }
      try {
        assertEquals(0, (int) MUNMAP.invokeExact(some.all(), some.all().byteSize()));
      } catch (Throwable e) {
        throw new LinkageError("munmap", e);
      }
    }
  }
}
