package dev.millrace.engine.quantize;

import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Cuts a text into sequences of tokens, spread evenly over it. */
final class CalibrationText {
  /** Fewer tokens say too little of what a model's inputs are like. */
  private static final int FEWEST = 256;

  private CalibrationText() {}

  /**
   * The sequences of a text.
   *
   * @param file UTF-8
   * @param most sequences
   * @param length of each, what the tokenizer puts before a text included
   * @throws InferenceException {@code INVALID_CONFIGURATION} if it cannot be read or is too short
   */
  static List<int[]> sequences(Path file, Tokenizer tokenizer, int most, int length) {
    int[] tokens = tokenizer.encode(read(file), false);
    if (tokens.length < FEWEST) {
      throw wrong(
          "%s has %d tokens, to calibrate takes at least %d"
              .formatted(file, tokens.length, FEWEST));
    }
    int[] before = tokenizer.encode("", true);
    if (before.length > 1) {
      before = new int[0]; // it puts something behind a text, too
    }
    int window = Math.min(length - before.length, tokens.length);
    int windows = Math.min(most, tokens.length / window);
    var sequences = new ArrayList<int[]>();
    for (int i = 0; i < windows; i++) {
      int from = (int) ((long) (tokens.length / window) * i / windows) * window;
      int[] sequence = Arrays.copyOf(before, before.length + window);
      System.arraycopy(tokens, from, sequence, before.length, window);
      sequences.add(sequence);
    }
    return List.copyOf(sequences);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "the calibration text " + file + " cannot be read as UTF-8: " + e,
          e);
    }
  }

  private static InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_CONFIGURATION, what);
  }
}
