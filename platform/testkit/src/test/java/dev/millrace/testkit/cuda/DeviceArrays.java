package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** Arrays that kernels read. */
final class DeviceArrays {
  private DeviceArrays() {}

  static MemorySegment of(int... values) {
    var memory = Kernels.allocate(Math.max(1, values.length) * 4L);
    MemorySegment.copy(values, 0, memory, JAVA_INT, 0, values.length);
    return memory;
  }

  static MemorySegment of(float... values) {
    var memory = Kernels.allocate(Math.max(1, values.length) * 4L);
    MemorySegment.copy(values, 0, memory, JAVA_FLOAT, 0, values.length);
    return memory;
  }

  /** A copy on the device, aligned as its memory is. */
  static MemorySegment of(MemorySegment bytes) {
    var memory = Kernels.allocate(bytes.byteSize());
    MemorySegment.copy(bytes, JAVA_BYTE, 0, memory, JAVA_BYTE, 0, bytes.byteSize());
    return memory;
  }
}
