package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Device memory full of random numbers, and room for results. */
final class BenchMemory implements AutoCloseable {
  /** Numbers that repeat; a multiple of all alignments and of no width. */
  private static final int BLOCK = SuitePart.simulated() ? 30_208 : 4_000_256;

  /** More than a cache holds, three times over. */
  private static final long UNCACHED = 200_000_000;

  /** Of what is small enough to be found in a cache in a model too. */
  private static final int MOST_SETS = SuitePart.simulated() ? 2 : 64;

  private static final long SCALE = SuitePart.simulated() ? 256 : 1;

  private final List<Memory> all = new ArrayList<>();
  private final float[] block = new float[BLOCK];
  private final long stream;
  private final Memory bf16;
  private final Memory f32;
  private final Memory codes;
  private final Memory results;

  BenchMemory(long stream) {
    this.stream = stream;
    var random = new SplittableRandom(1);
    for (int i = 0; i < BLOCK; i++) {
      block[i] =
          Float.intBitsToFloat(Float.floatToIntBits((float) random.nextGaussian()) & ~0xffff);
    }
    try (var arena = Arena.ofConfined()) {
      var narrow = arena.allocate(JAVA_SHORT, BLOCK);
      var bytes = arena.allocate(JAVA_LONG, BLOCK / 8);
      for (int i = 0; i < BLOCK; i++) {
        narrow.setAtIndex(JAVA_SHORT, i, (short) (Float.floatToRawIntBits(block[i]) >>> 16));
      }
      for (int i = 0; i < BLOCK / 8; i++) {
        bytes.setAtIndex(JAVA_LONG, i, random.nextLong());
      }
      bf16 = filled((4L << 30) / SCALE, narrow);
      f32 = filled((512L << 20) / SCALE, arena.allocateFrom(JAVA_FLOAT, block));
      codes = filled((512L << 20) / SCALE, bytes);
    }
    results = add((1L << 30) / SCALE);
  }

  private Memory add(long bytes) {
    var memory = new Memory(bytes, "a measurement");
    all.add(memory);
    return memory;
  }

  private Memory filled(long bytes, MemorySegment pattern) {
    var memory = add(bytes);
    memory.upload(pattern.asSlice(0, Math.min(bytes, pattern.byteSize())), 0);
    long done = pattern.byteSize();
    while (done < bytes) {
      long next = Math.min(done, bytes - done);
      DriverCalls.move(memory.address() + done, memory.address(), next, stream);
      done += next;
    }
    DriverCalls.synchronize(stream);
    return memory;
  }

  /** Normally distributed BF16. */
  Region bf16() {
    return new Region(bf16);
  }

  /** Normally distributed F32. */
  Region f32() {
    return new Region(f32);
  }

  /** Random bytes. */
  Region codes() {
    return new Region(codes);
  }

  /** The BF16 or F32 at an index of its region. */
  float number(long index) {
    return block[(int) (index % BLOCK)];
  }

  /** Where results go, all NaN. */
  long results(long bytes) {
    if (bytes > results.bytes()) {
      throw new IllegalArgumentException("no room for " + bytes + " bytes of results");
    }
    DriverCalls.fill(results.address(), (byte) -1, bytes, stream);
    return results.address();
  }

  /** Integers of a step, which live as long as this. */
  long integers(int... values) {
    var memory = add(Math.max(4, 4L * values.length));
    try (var arena = Arena.ofConfined()) {
      memory.upload(arena.allocateFrom(JAVA_INT, values), 0);
    }
    return memory.address();
  }

  /** Room of one's own, all zeros. */
  long room(long bytes) {
    var memory = add(bytes);
    DriverCalls.fill(memory.address(), (byte) 0, bytes, stream);
    return memory.address();
  }

  /** So many bytes of the device. */
  MemorySegment read(long address, long bytes) {
    var here = Arena.ofAuto().allocate(JAVA_BYTE, bytes);
    DriverCalls.download(here, address, bytes, stream);
    DriverCalls.synchronize(stream);
    return here;
  }

  /** Memory in which inputs of some size lie one after the other. */
  record Region(Memory memory) {
    /** How many of them it takes that none is found in a cache, but at most what there is. */
    int sets(long bytes) {
      long wanted = Math.min(MOST_SETS, UNCACHED / SCALE / bytes + 2);
      return (int) Math.clamp(memory.bytes() / aligned(bytes), 1, wanted);
    }

    long address(int set, long bytes) {
      return memory.address() + set * aligned(bytes);
    }

    static long aligned(long bytes) {
      return Math.ceilDiv(bytes, 256) * 256;
    }
  }

  @Override
  public void close() {
    all.forEach(Memory::close);
  }
}
