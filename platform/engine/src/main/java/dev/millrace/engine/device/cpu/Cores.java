package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.BitSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps each worker on a core of its own, where there are exactly as many workers as cores. A
 * virtual machine that hides which cores share a cache wakes a worker on its waker's core, and
 * leaves another core idle. Linux only; elsewhere, and with fewer workers, the system decides.
 *
 * <p>Source: sched_setaffinity(2).
 */
@SuppressWarnings("restricted") // affinity has no Java interface
final class Cores {
  private static final Logger LOG = LoggerFactory.getLogger(Cores.class);

  /** The size of glibc's cpu_set_t; a machine with more cores answers EINVAL. */
  private static final int MASK_BYTES = 128;

  private static final FunctionDescriptor SIGNATURE =
      FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);

  /** What the calling thread says of itself. */
  private static final int SELF = 0;

  private final int[] cores;

  private Cores(int... cores) {
    this.cores = cores;
  }

  /** The cores that the calling thread may use, if they are as many as the workers. */
  static Cores of(int workers) {
    if (!"Linux".equals(System.getProperty("os.name"))) {
      return new Cores();
    }
    try (var arena = Arena.ofConfined()) {
      var mask = arena.allocate(MASK_BYTES);
      int status = (int) function("sched_getaffinity").invokeExact(SELF, (long) MASK_BYTES, mask);
      var cores = BitSet.valueOf(mask.toArray(JAVA_BYTE)).stream().toArray();
      return status < 0 || cores.length != workers ? new Cores() : new Cores(cores);
    } catch (Throwable e) {
      LOG.debug("no affinity on this system", e);
      return new Cores();
    }
  }

  /** Binds the calling thread to the worker's core. */
  void bind(int worker) {
    if (cores.length <= 1) {
      return;
    }
    var core = new BitSet();
    core.set(cores[worker]);
    try (var arena = Arena.ofConfined()) {
      var mask = arena.allocate(MASK_BYTES);
      mask.copyFrom(MemorySegment.ofArray(core.toByteArray()));
      int status = (int) function("sched_setaffinity").invokeExact(SELF, (long) MASK_BYTES, mask);
      LOG.debug("worker {} on core {}: {}", worker, cores[worker], status);
    } catch (Throwable e) {
      LOG.debug("worker {} stays unbound", worker, e);
    }
  }

  private static MethodHandle function(String name) {
    var linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), SIGNATURE);
  }
}
