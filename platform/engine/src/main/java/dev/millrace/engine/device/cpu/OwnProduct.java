package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.RowKernel;
import java.util.List;

/**
 * Products with matrices in formats of their plugins' own: by the kernel that a plugin brings, else
 * over decoded rows. Linears without such parts go to the device's own product.
 */
final class OwnProduct implements Product {
  /** Outputs of a slice. */
  private static final int SLICE_ROWS = 32;

  private final Product others;
  private final MatrixProduct decoded;
  private final Workers workers;

  OwnProduct(Product others, Workers workers) {
    this.others = others;
    this.decoded = new MatrixProduct(workers);
    this.workers = workers;
  }

  /** Whether a linear is multiplied with here. */
  static boolean takes(MatrixLinear linear) {
    for (var part : linear.parts()) { // asked for every product of every step
      if (part.format() instanceof DeviceFormat.Own) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    if (!takes(linear)) {
      others.run(linear, x, out, rows);
      return;
    }
    int output = 0;
    for (var part : linear.parts()) {
      run(linear, part, x, out, output, rows);
      output += part.rows();
    }
  }

  private void run(
      MatrixLinear linear, QuantizedMatrix part, Rows x, Rows out, int output, int rows) {
    var to = new Rows(out.segment(), out.offset() + output, out.stride(), part.rows());
    var kernel = part.kernel();
    if (kernel.isEmpty()) {
      decoded.run(MatrixLinear.withoutBias(linear.name(), List.of(part)), x, to, rows);
    } else {
      multiply(kernel.get(), part.rows(), x, to, rows);
    }
    float[] bias = linear.bias();
    for (int row = 0; bias != null && row < rows; row++) {
      for (int i = 0; i < part.rows(); i++) {
        to.set(row, i, to.get(row, i) + bias[output + i]);
      }
    }
  }

  private void multiply(RowKernel kernel, int outputs, Rows x, Rows out, int rows) {
    var from = x.segment().asSlice(JAVA_FLOAT.byteSize() * x.offset());
    var to = out.segment().asSlice(JAVA_FLOAT.byteSize() * out.offset());
    workers.run(
        Math.ceilDiv(outputs, SLICE_ROWS),
        (slice, _) -> {
          int first = slice * SLICE_ROWS;
          int end = Math.min(outputs, first + SLICE_ROWS);
          kernel.multiply(from, x.stride(), to, out.stride(), rows, first, end);
        });
  }
}
