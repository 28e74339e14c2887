package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Memory of the host that ends at a page which nobody may touch: whoever reads beyond it crashes,
 * where on a device he might. In between lie fewer bytes than the alignment, each of them 255.
 * Given back when nobody refers to it any more.
 */
@SuppressWarnings("restricted") // native code is what this is for
final class GuardedMemory {
  private static final int PAGE = 4096;
  private static final int READ_AND_WRITE = 3;
  private static final int PRIVATE_AND_ANONYMOUS = 0x22;
  private static final MethodHandle MMAP =
      handle("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle MPROTECT =
      handle("mprotect", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle MUNMAP = handle("munmap", JAVA_INT, ADDRESS, JAVA_LONG);

  private GuardedMemory() {}

  private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... arguments) {
    var linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  /** Zeros, from a multiple of the alignment, a power of two up to 4096, on. */
  static MemorySegment allocate(long bytes, long alignment) {
    long pages = (bytes + PAGE - 1) / PAGE * PAGE;
    try {
      var mapped =
          (MemorySegment)
              MMAP.invokeExact(
                  MemorySegment.NULL, pages + PAGE, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
      if (mapped.address() == -1) {
        throw new OutOfMemoryError(bytes + " bytes of guarded memory");
      }
      var memory = mapped.reinterpret(pages + PAGE, Arena.ofAuto(), GuardedMemory::free);
      if ((int) MPROTECT.invokeExact(memory.asSlice(pages), (long) PAGE, 0) != 0) {
        throw new OutOfMemoryError("a page of guarded memory");
      }
      long start = (pages - bytes) / alignment * alignment;
      memory.asSlice(0, start).fill((byte) -1);
      memory.asSlice(start + bytes, pages - start - bytes).fill((byte) -1);
      return memory.asSlice(start, bytes);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new LinkageError("mmap", e);
    }
  }

  private static void free(MemorySegment mapped) {
    try {
      int _ = (int) MUNMAP.invokeExact(mapped, mapped.byteSize());
    } catch (Throwable e) {
      throw new LinkageError("munmap", e);
    }
  }
}
