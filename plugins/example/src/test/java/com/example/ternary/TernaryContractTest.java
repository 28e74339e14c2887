package com.example.ternary;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import dev.millrace.testkit.QuantizationContract;
import java.util.List;

class TernaryContractTest extends QuantizationContract {
  @Override
  protected QuantizationPlugin plugin() {
    return new TernaryPlugin();
  }

  @Override
  protected List<Sample> samples(int rows, int cols, float[] weights) {
    var checkpoint =
        new MemoryCheckpoint()
            .floats(MATRIX + ".weight", DType.BF16, List.of(rows, cols), weights);
    return List.of(new Sample("BF16", checkpoint, 1)); // a toy: off by as much as there is
  }

  @Override
  protected boolean refusesNotANumber() {
    return true;
  }
}
