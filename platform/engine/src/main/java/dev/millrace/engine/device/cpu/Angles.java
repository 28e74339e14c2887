package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.spi.tensor.Rope;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cosines and sines of a rotary embedding for the rows of a step, {@code [rows][pairs]} each, with
 * the arithmetic of {@link Rotation}. Positions that were met before are not computed again.
 */
final class Angles {
  private final float[] frequencies;
  private final float factor;
  private final boolean interleaved;

  /** By position; then by pair. */
  private float[][] knownCosines = new float[64][];

  private float[][] knownSines = new float[64][];
  private MemorySegment cosines = MemorySegment.NULL;
  private MemorySegment sines = MemorySegment.NULL;

  Angles(@Nullable Rope rope) {
    frequencies = rope == null ? new float[0] : rope.inverseFrequencies();
    factor = rope == null ? 1 : rope.attentionFactor();
    interleaved = rope != null && rope.interleaved();
  }

  /** Address of the cosines. */
  long cosines() {
    return cosines.address();
  }

  /** Address of the sines. */
  long sines() {
    return sines.address();
  }

  void fill(StepBatch batch) {
    int pairs = frequencies.length;
    if (pairs == 0) {
      return;
    }
    long numbers = (long) batch.rows() * pairs;
    if (cosines.byteSize() < Float.BYTES * numbers) {
      cosines = Arena.ofAuto().allocate(JAVA_FLOAT, 2 * numbers);
      sines = Arena.ofAuto().allocate(JAVA_FLOAT, 2 * numbers);
    }
    know(batch);
    for (int row = 0; row < batch.rows(); row++) {
      int position = batch.position(row);
      long at = (long) Float.BYTES * row * pairs;
      MemorySegment.copy(knownCosines[position], 0, cosines, JAVA_FLOAT, at, pairs);
      MemorySegment.copy(knownSines[position], 0, sines, JAVA_FLOAT, at, pairs);
    }
  }

  /** Computes the angles of positions that were not met before. */
  void know(StepBatch batch) {
    for (int row = 0; row < batch.rows(); row++) {
      know(batch.position(row));
    }
  }

  /** Rotates the head at {@code start} in place, as the token at a known position. */
  void rotate(float[] numbers, int start, int position) {
    float[] cosine = knownCosines[position];
    float[] sine = knownSines[position];
    int step = interleaved ? 2 : 1;
    int distance = interleaved ? 1 : cosine.length;
    for (int i = 0; i < cosine.length; i++) {
      int at = start + i * step;
      float x = numbers[at];
      float y = numbers[at + distance];
      numbers[at] = x * cosine[i] - y * sine[i];
      numbers[at + distance] = y * cosine[i] + x * sine[i];
    }
  }

  private void know(int position) {
    if (position >= knownCosines.length) {
      int length = Math.max(position + 1, 2 * knownCosines.length);
      knownCosines = Arrays.copyOf(knownCosines, length);
      knownSines = Arrays.copyOf(knownSines, length);
    }
    if (knownCosines[position] != null) {
      return;
    }
    float[] cosine = new float[frequencies.length];
    float[] sine = new float[frequencies.length];
    for (int i = 0; i < frequencies.length; i++) {
      float angle = position * frequencies[i];
      cosine[i] = (float) Math.cos(angle) * factor;
      sine[i] = (float) Math.sin(angle) * factor;
    }
    knownCosines[position] = cosine;
    knownSines[position] = sine;
  }
}
