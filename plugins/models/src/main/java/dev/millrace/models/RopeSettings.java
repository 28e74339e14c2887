package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.tensor.Rope;
import java.util.List;

/**
 * Rotary frequencies as {@code config.json} asks for them, in both spellings: {@code rope_theta}
 * and {@code rope_scaling} of transformers 4, {@code rope_parameters} of transformers 5. All
 * arithmetic that reaches a frequency is F32, as it was when the weights were trained.
 *
 * @param type default, linear, llama3, yarn or longrope
 * @param theta base of the frequencies
 * @param scaling the object with the type's own settings; may be empty
 * @param rotated numbers of a head that are rotated
 * @param maxContext {@code max_position_embeddings}
 * @param trainedContext the length the weights were trained at, before the rope was scaled
 */
record RopeSettings(
    String type,
    double theta,
    ModelConfig scaling,
    int rotated,
    int maxContext,
    int trainedContext) {
  private static final List<String> KNOWN =
      List.of("default", "linear", "llama3", "yarn", "longrope");

  static RopeSettings of(ModelConfig config, Shape shape) {
    return of(config, shape, 10_000);
  }

  /** The same, where a family has another base by default. */
  static RopeSettings of(ModelConfig config, Shape shape, double fallback) {
    // a file that has both was written for old readers: there, rope_scaling counts
    var scaling = config.object(config.has("rope_scaling") ? "rope_scaling" : "rope_parameters");
    return of(config, scaling, config.real("rope_theta", fallback), shape);
  }

  /**
   * The settings of one object, where a configuration has several.
   *
   * @param fallback the base, if the object has none
   */
  static RopeSettings of(ModelConfig config, ModelConfig scaling, double fallback, Shape shape) {
    double theta = scaling.real("rope_theta", fallback);
    String type = scaling.text("rope_type", scaling.text("type", "default"));
    type = type.equals("su") ? "longrope" : type; // its name before it was published
    if (!KNOWN.contains(type)) {
      throw Shape.unsupported("rope_type " + type + "; known: " + KNOWN);
    }
    double part = scaling.real("partial_rotary_factor", config.real("partial_rotary_factor", 1));
    int rotated = rotated("partial_rotary_factor", part, shape);
    int trained =
        config.integer(
            "original_max_position_embeddings",
            scaling.integer("original_max_position_embeddings", shape.maxContext()));
    return new RopeSettings(type, theta, scaling, rotated, shape.maxContext(), trained);
  }

  /**
   * A rope without scaling.
   *
   * @param key what says which part of a head is rotated
   */
  static RopeSettings plain(
      String key, double part, double theta, ModelConfig config, Shape shape) {
    int context = shape.maxContext();
    int rotated = rotated(key, part, shape);
    return new RopeSettings(
        "default", theta, config.object("rope_scaling"), rotated, context, context);
  }

  private static int rotated(String key, double part, Shape shape) {
    int rotated = (int) (shape.headDim() * part);
    if (rotated < 2 || rotated % 2 != 0 || rotated > shape.headDim()) {
      throw Shape.unsupported(key + " " + part + " rotates " + rotated + " numbers");
    }
    return rotated;
  }

  Rope rope() {
    float[] plain = new float[rotated / 2];
    for (int i = 0; i < plain.length; i++) {
      plain[i] = 1f / (float) Math.pow(theta, 2f * i / rotated);
    }
    return switch (type) {
      case "linear" -> new Rope(slowed(plain), 1, false);
      case "llama3" -> new Rope(llama3(plain), 1, false);
      case "yarn" -> new Yarn(this).rope(plain);
      case "longrope" -> new LongRope(this).rope();
      default -> new Rope(plain, 1, false);
    };
  }

  /**
   * The longest sequence. Files with a linear rope give the length before scaling, those with YaRN
   * name it apart, and those of Llama 3.1 give the length after scaling.
   */
  int context() {
    return switch (type) {
      case "linear" -> (int) (maxContext * factor());
      case "yarn" -> (int) (trainedContext * factor());
      default -> maxContext;
    };
  }

  double factor() {
    double implied = type.equals("yarn") ? (double) maxContext / trainedContext : 0;
    double factor = scaling.real("factor", implied);
    if (!(factor >= 1)) {
      throw Shape.unsupported("rope_type " + type + " needs a factor of at least 1");
    }
    return factor;
  }

  private float[] slowed(float[] frequencies) {
    float[] result = new float[frequencies.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) (frequencies[i] / factor());
    }
    return result;
  }

  /**
   * Llama 3.1: long wavelengths are slowed by the factor, short ones kept, those between blended.
   */
  private float[] llama3(float[] frequencies) {
    double low = scaling.real("low_freq_factor", 1);
    double high = scaling.real("high_freq_factor", 4);
    double context = trainedContext;
    float[] result = new float[frequencies.length];
    for (int i = 0; i < result.length; i++) {
      double frequency = frequencies[i];
      double wavelength = 2 * Math.PI / frequency;
      double slow = frequency / factor();
      double blend = (context / wavelength - low) / (high - low);
      double chosen;
      if (wavelength > context / low) {
        chosen = slow;
      } else if (wavelength < context / high) {
        chosen = frequency;
      } else {
        chosen = (1 - blend) * slow + blend * frequency;
      }
      result[i] = (float) chosen;
    }
    return result;
  }
}
