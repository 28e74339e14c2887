package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReferenceHeadTest {
  private static final int VOCABULARY = 65_536;
  private static final int PICKS = 300; // two chunks of the head

  @Test
  void aHeadThatFailsFailsThePicksOfItsChunkUntilItWorksAgain() {
    var random = new SplittableRandom(3);
    var broken = new AtomicBoolean();
    var matrix = new Touchy(MemoryMatrix.random(VOCABULARY, 2, random), broken);
    var head = MatrixLinear.withoutBias("head", List.of(matrix));
    var spec = new ModelSpec(2, VOCABULARY, 64, List.of(new KvLayer(1, 1, 1, 0)));
    var layout = new KvLayout(PICKS, 1, KvDtype.FLOAT32);
    var pass = new HeadedModel(MemoryMatrix.random(1, 2, random), head);
    try (var device = new ReferenceDevice(2);
        var model = device.load(pass, spec, layout)) {
      var driver = new StepDriver(model, PICKS, 1, VOCABULARY);
      driver.run(
          IntStream.range(0, PICKS)
              .mapToObj(_ -> new StepDriver.Chunk(driver.sequence(0), 1))
              .toList());
      float[] first = new float[VOCABULARY];
      float[] last = new float[VOCABULARY];
      broken.set(true);
      model.logits(0, first);
      for (int pick : new int[] {PICKS - 1, PICKS - 1, 0}) {
        var error = assertThrows(InferenceException.class, () -> model.logits(pick, last));
        assertEquals(ErrorCode.NUMERICAL_FAILURE, error.code());
      }
      broken.set(false);
      model.logits(PICKS - 1, last);
      assertArrayEquals(first, last);
    }
  }

  private record Touchy(MemoryMatrix inner, AtomicBoolean broken) implements QuantizedMatrix {
    @Override
    public int rows() {
      return inner.rows();
    }

    @Override
    public int cols() {
      return inner.cols();
    }

    @Override
    public DeviceFormat format() {
      return inner.format();
    }

    @Override
    public MemorySegment packed() {
      return inner.packed();
    }

    @Override
    public void decodeRow(int row, float[] out) {
      if (broken.get()) {
        throw new InferenceException(ErrorCode.NUMERICAL_FAILURE, "row " + row + " is lost");
      }
      inner.decodeRow(row, out);
    }
  }
}
