package dev.millrace.testkit.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.KvDtype;

/** What a gate makes of a product that was stored in BF16. */
final class Gates {
  private Gates() {}

  /** The kernels that do both come to the same bits. */
  static void check(int activation, DeviceRows factors, DeviceRows gated) {
    int width = gated.row(0).length;
    var expected = DeviceRows.empty(KvDtype.BFLOAT16, gated.rows(), width);
    Kernels.launch(
        "gate_bf16",
        Grid.of(gated.rows(), Math.ceilDiv(width, 256)),
        activation,
        factors.address(),
        factors.stride(),
        expected.address(),
        expected.stride(),
        width);
    for (int row = 0; row < gated.rows(); row++) {
      assertArrayEquals(expected.row(row), gated.row(row));
    }
    gated.requireGuards();
  }
}
