package dev.millrace.engine.device.cpu;

import dev.millrace.spi.tensor.Rope;
import org.jspecify.annotations.Nullable;

/**
 * Rotary embedding of one head. The angle is the F32 product of position and frequency, as the
 * families were trained with; a more exact angle would differ from theirs at long context.
 */
final class Rotation {
  private final float[] frequencies;
  private final float factor;
  private final boolean interleaved;

  Rotation(@Nullable Rope rope) {
    frequencies = rope == null ? new float[0] : rope.inverseFrequencies();
    factor = rope == null ? 1 : rope.attentionFactor();
    interleaved = rope != null && rope.interleaved();
  }

  /** Rotates {@code head} in place, as the token at {@code position}. */
  void apply(float[] head, int position) {
    int pairs = frequencies.length;
    for (int i = 0; i < pairs; i++) {
      float angle = position * frequencies[i];
      float cos = (float) Math.cos(angle) * factor;
      float sin = (float) Math.sin(angle) * factor;
      int a = interleaved ? 2 * i : i;
      int b = interleaved ? a + 1 : i + pairs;
      float x = head[a];
      float y = head[b];
      head[a] = x * cos - y * sin;
      head[b] = y * cos + x * sin;
    }
  }
}
