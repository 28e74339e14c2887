package dev.millrace.engine.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.schedule.Sequence;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against the logits processors of Hugging Face transformers; see transformers-cases.py. */
class TransformersTest {
  private static final int DRAWS = 2000;
  private static final double CLOSE = 1e-6;

  static Stream<JsonNode> cases() throws IOException {
    var file = TransformersTest.class.getResourceAsStream("transformers-cases.json.gz");
    try (var in = new GZIPInputStream(Objects.requireNonNull(file))) {
      return StreamSupport.stream(new ObjectMapper().readTree(in).spliterator(), false);
    }
  }

  /** Near both ends of each token's share, a draw must give that token. */
  @ParameterizedTest(name = "{index}")
  @MethodSource("cases")
  void theSameTokensAreLeftWithTheSameProbabilities(JsonNode golden) {
    float[] logits = logits(golden);
    var params = params(golden, 0);
    new Penalties(logits.length).apply(logits, params, sequence(golden));
    var candidates = new Candidates(logits.length);
    candidates.fill(logits, params);
    int[] tokens = ints(golden.get("tokens"));
    assertEquals(tokens.length, candidates.size());
    double before = 0;
    for (int i = 0; i < tokens.length; i++) {
      double share = golden.get("probabilities").get(i).doubleValue();
      double margin = Math.min(CLOSE, share / 2);
      if (share > CLOSE) {
        assertEquals(tokens[i], candidates.draw(before + margin), "start of share " + i);
        assertEquals(tokens[i], candidates.draw(before + share - margin), "end of share " + i);
      }
      before += share;
    }
    assertEquals(1, before, CLOSE);
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("cases")
  void tokensAreDrawnAsOftenAsTheyShould(JsonNode golden) {
    float[] logits = logits(golden);
    double[] probabilities = new double[logits.length];
    int[] tokens = ints(golden.get("tokens"));
    for (int i = 0; i < tokens.length; i++) {
      probabilities[tokens[i]] = golden.get("probabilities").get(i).doubleValue();
    }
    var sampler = new Sampler(logits.length);
    var sequence = sequence(golden);
    long[] counts = new long[logits.length];
    for (int seed = 0; seed < DRAWS; seed++) {
      var params = params(golden, seed);
      counts[sampler.sample(logits.clone(), params, sequence, Sampling.NONE_BANNED, -1).id()]++;
    }
    ChiSquare.requireAgreement(counts, probabilities);
  }

  private static SamplingParams params(JsonNode golden, long seed) {
    Map<Integer, Double> bias = new HashMap<>();
    golden.get("bias").forEachEntry((k, v) -> bias.put(Integer.valueOf(k), v.doubleValue()));
    return new SamplingParams(
        golden.get("temperature").doubleValue(),
        golden.get("top_k").intValue(),
        golden.get("top_p").doubleValue(),
        golden.get("min_p").doubleValue(),
        golden.get("repetition").doubleValue(),
        golden.get("presence").doubleValue(),
        golden.get("frequency").doubleValue(),
        bias,
        seed);
  }

  private static Sequence sequence(JsonNode golden) {
    var prompt = Sampling.prompt(ints(golden.get("prompt")));
    return Sampling.answer(prompt, ints(golden.get("answer")));
  }

  private static float[] logits(JsonNode golden) {
    float[] logits = new float[golden.get("vocabulary").intValue()];
    for (int i = 0; i < logits.length; i++) {
      double unit = (splitmix64((golden.get("seed").longValue() << 32) + i) >>> 40) * 0x1p-24;
      logits[i] = (float) ((unit - 0.5) * golden.get("scale").doubleValue());
    }
    return logits;
  }

  private static long splitmix64(long seed) {
    long x = seed + 0x9E3779B97F4A7C15L;
    x = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
    x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
    return x ^ (x >>> 31);
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
  }
}
