package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.engine.device.Bfloat16;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Matrices that follow one another, as one in device memory: first all numbers or codes, then all
 * scales, then all zeros. Entered threads only.
 */
final class MatrixUpload implements Owned.Closing {
  /** Decoded numbers that are held in the host's memory at a time. */
  private static final long DECODED_BYTES = 32 << 20;

  private final Precision precision;
  private final PackedMatrix form;
  private final Memory memory;
  private final DeviceMatrix matrix;

  /**
   * Uploads matrices that are {@link PackedMatrix#isLike like} the first, as wide, and in its
   * order.
   */
  MatrixUpload(List<QuantizedMatrix> parts, Precision precision) {
    this.precision = precision;
    var first = parts.getFirst();
    this.form = form(first);
    long scales = PackedMatrix.aligned(sum(parts, part -> part.data().bytes()));
    long scaleBytes = sum(parts, part -> part.scales().bytes());
    long zeros = scales + PackedMatrix.aligned(scaleBytes);
    long zeroBytes = sum(parts, part -> part.zeros().bytes());
    long order = zeros + PackedMatrix.aligned(zeroBytes);
    int[] inputs = form.decoded() ? new int[0] : first.inputOrder();
    long orderBytes = (long) Integer.BYTES * inputs.length;
    this.memory = new Memory(order + PackedMatrix.aligned(orderBytes), "the weights");
    this.matrix =
        new DeviceMatrix(
            form.format(),
            memory.address(),
            scaleBytes == 0 ? 0 : memory.address() + scales,
            zeroBytes == 0 ? 0 : memory.address() + zeros,
            form.group(),
            inputs.length == 0 ? 0 : memory.address() + order,
            parts.stream().mapToInt(QuantizedMatrix::rows).sum(),
            first.cols());
    try {
      upload(parts, scales, zeros);
      upload(inputs, order);
    } catch (RuntimeException | Error e) {
      memory.close();
      throw e;
    }
  }

  private PackedMatrix form(QuantizedMatrix matrix) {
    return PackedMatrix.of(matrix, precision);
  }

  private interface Size {
    long of(PackedMatrix form);
  }

  private long sum(List<QuantizedMatrix> parts, Size size) {
    return parts.stream().mapToLong(part -> size.of(form(part))).sum();
  }

  private void upload(List<QuantizedMatrix> parts, long scales, long zeros) {
    long data = 0;
    for (var part : parts) {
      var layout = form(part);
      if (layout.decoded()) {
        uploadDecoded(part, data);
      } else {
        upload(part, layout.data(), data);
        uploadScales(part, layout, scales, zeros);
      }
      data += layout.data().bytes();
      scales += layout.scales().bytes();
      zeros += layout.zeros().bytes();
    }
  }

  private void upload(QuantizedMatrix from, PackedMatrix.Section section, long at) {
    if (section.bytes() == 0) {
      return;
    }
    var packed = from.packed().asSlice(section.offset(), section.bytes());
    if (packed.isNative()) {
      memory.upload(packed, at);
      return;
    }
    try (var arena = Arena.ofConfined()) {
      memory.upload(arena.allocate(packed.byteSize()).copyFrom(packed), at);
    }
  }

  private void upload(int[] inputs, long at) {
    if (inputs.length > 0) {
      try (var arena = Arena.ofConfined()) {
        memory.upload(arena.allocateFrom(JAVA_INT, inputs), at);
      }
    }
  }

  /** Kernels read scales and zeros as binary32, of each row. */
  private void uploadScales(QuantizedMatrix from, PackedMatrix form, long scales, long zeros) {
    var layout = PackedLayout.of(from.format(), from.rows(), from.cols());
    if (from.format() instanceof DeviceFormat.Fp8 fp8) {
      var blocks = new BlockScales(fp8, layout, from.cols());
      uploadLines(from, blocks.groups(), blocks::read, scales);
      return;
    }
    if (layout.type() == ScaleType.F32) {
      upload(from, form.scales(), scales);
      upload(from, form.zeros(), zeros);
      return;
    }
    uploadLines(from, layout.groups(), layout::readScales, scales);
    if (form.zeros().bytes() > 0) {
      uploadLines(from, layout.groups(), layout::readZeros, zeros);
    }
  }

  /** Reads the scales or the zeros of a row. */
  private interface Line {
    void read(MemorySegment packed, int row, float[] out, int to);
  }

  private void uploadLines(QuantizedMatrix from, int groups, Line line, long at) {
    float[] row = new float[groups];
    try (var arena = Arena.ofConfined()) {
      var all = arena.allocate(JAVA_FLOAT, Math.multiplyFull(from.rows(), row.length));
      for (int r = 0; r < from.rows(); r++) {
        line.read(from.packed(), r, row, 0);
        long index = Math.multiplyFull(r, row.length);
        MemorySegment.copy(row, 0, all, JAVA_FLOAT, Float.BYTES * index, row.length);
      }
      memory.upload(all, at);
    }
  }

  private void uploadDecoded(QuantizedMatrix from, long at) {
    float[] row = new float[from.cols()];
    long rowBytes = (long) precision.bytes() * row.length;
    int held = Math.clamp(DECODED_BYTES / rowBytes, 1, from.rows());
    try (var arena = Arena.ofConfined()) {
      var some = arena.allocate(held * rowBytes, Float.BYTES);
      for (int r = 0; r < from.rows(); r++) {
        from.decodeRow(r, row);
        write(row, some, r % held * rowBytes);
        if (r % held == held - 1 || r == from.rows() - 1) {
          memory.upload(some.asSlice(0, (r % held + 1) * rowBytes), at + (r - r % held) * rowBytes);
        }
      }
    }
  }

  private void write(float[] row, MemorySegment to, long at) {
    if (precision == Precision.FLOAT32) {
      MemorySegment.copy(row, 0, to, JAVA_FLOAT, at, row.length);
      return;
    }
    for (int i = 0; i < row.length; i++) {
      to.set(JAVA_SHORT, at + (long) Short.BYTES * i, Bfloat16.of(row[i]));
    }
  }

  DeviceMatrix matrix() {
    return matrix;
  }

  @Override
  public void close() {
    memory.close();
  }
}
