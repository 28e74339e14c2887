package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import java.util.List;

/**
 * A matrix of bitsandbytes: codes of 4 bits into a table, row after row without a gap, of two in a
 * byte the first in the upper half; a scale for each block of them, whatever row they are in. F32
 * comes of it where blocks end inside a group of 16 columns.
 *
 * @param codes U8 [bytes, 1]
 * @param table 16 numbers
 * @param scales of all blocks
 */
record TableCodes(Stored codes, QuantState state, float[] table, float[] scales)
    implements Packing.Source {

  /** The matrix of this tensor, checked. */
  static TableCodes of(String weight, Checkpoint checkpoint) {
    var state = QuantState.of(stateTensor(weight, checkpoint));
    long bytes = Math.ceilDiv(Math.multiplyFull(state.rows(), state.cols()), 2);
    var codes = Stored.of(checkpoint, weight, DType.U8);
    boolean row = codes.tensor().shape().equals(List.of(1L, bytes));
    codes = row ? codes : codes.shaped(bytes, 1);
    var table = Stored.of(checkpoint, weight + ".quant_map", DType.F32).shaped(16);
    BlockScales.checkFinite(table);
    float[] numbers = new float[16];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = table.number(i);
    }
    return new TableCodes(codes, state, numbers, BlockScales.read(weight, state, checkpoint));
  }

  private static Stored stateTensor(String weight, Checkpoint checkpoint) {
    String state = weight + ".quant_state.bitsandbytes__";
    String nf4 = state + "nf4";
    String fp4 = state + "fp4";
    if (!checkpoint.has(nf4) && !checkpoint.has(fp4)) {
      throw new InferenceException(
          ErrorCode.MISSING_TENSOR,
          "%s is there, but neither %s nor %s, without which it cannot be read"
              .formatted(weight, nf4, fp4));
    }
    return Stored.of(checkpoint, checkpoint.has(nf4) ? nf4 : fp4, DType.U8);
  }

  PackedMatrix matrix(String owner, Checkpoint checkpoint) {
    int group = group();
    DeviceFormat format = group == 0 ? new DeviceFormat.F32() : new DeviceFormat.Code4(group);
    var matrix =
        PackedMatrix.allocate(owner, state.rows(), state.cols(), format, new int[0], checkpoint);
    if (group == 0) {
      Packing.fillNumbers(matrix, this::numbers);
    } else {
      matrix.putTable(table);
      Packing.fill(matrix, this);
    }
    return matrix;
  }

  /** Columns that surely are in one block, wherever it begins; 0 for less than 16. */
  private int group() {
    for (int group = 128; group >= 16; group /= 2) {
      if (state.cols() % group == 0 && state.block() % group == 0) {
        return group;
      }
    }
    return 0;
  }

  @Override
  public Packing.Rows reader() {
    byte[] bytes = new byte[state.cols() / 2 + 1];
    return (row, out) -> {
      codes(row, bytes, out.codes());
      float[] to = out.scales();
      int group = state.cols() / to.length;
      for (int g = 0; g < to.length; g++) {
        to[g] = scale(row, g * group);
      }
    };
  }

  private Packing.NumberRows numbers() {
    byte[] bytes = new byte[state.cols() / 2 + 1];
    byte[] read = new byte[state.cols()];
    return (row, out) -> {
      codes(row, bytes, read);
      for (int i = 0; i < out.length; i++) {
        out[i] = table[read[i]] * scale(row, i);
      }
    };
  }

  private float scale(int row, int column) {
    return scales[(int) ((Math.multiplyFull(row, state.cols()) + column) / state.block())];
  }

  /** The codes of a row, which may begin in the middle of a byte. */
  private void codes(int row, byte[] bytes, byte[] out) {
    long begin = Math.multiplyFull(row, out.length);
    int length = (int) ((begin + out.length + 1) / 2 - begin / 2);
    codes.octets(begin / 2, bytes, length);
    int odd = (int) (begin % 2);
    for (int i = odd; i < out.length + odd; i++) {
      byte both = bytes[i / 2];
      out[i - odd] = (byte) (i % 2 == 0 ? (both >> 4) & 15 : both & 15);
    }
  }
}
