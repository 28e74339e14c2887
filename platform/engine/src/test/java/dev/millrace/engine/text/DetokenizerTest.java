package dev.millrace.engine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class DetokenizerTest {
  private static final int ROUNDS = 2_000;

  @TempDir Path directory;

  private static RandomGenerator random() {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(42);
  }

  private static int[] randomIds(Tokenizer tokenizer, RandomGenerator random) {
    // Often within the first 300 ids: there the single bytes are, and with them broken characters.
    int bound = random.nextBoolean() ? 300 : tokenizer.vocabularySize() + 2;
    return random.ints(random.nextInt(40), 0, bound).toArray();
  }

  private static int[] randomText(Tokenizer tokenizer, RandomGenerator random) {
    var text = new StringBuilder();
    for (int n = random.nextInt(30); n > 0; n--) {
      int point =
          switch (random.nextInt(5)) {
            case 0 -> ' ';
            case 1 -> random.nextInt(0x80);
            case 2 -> random.nextInt(0x3000);
            case 3 -> 0x1F300 + random.nextInt(0x400);
            default -> random.nextInt(0xD800);
          };
      text.appendCodePoint(point);
    }
    return tokenizer.encode(text.toString(), false);
  }

  private static String streamed(Detokenizer detokenizer, int[] ids) {
    var joined = new StringBuilder();
    for (int id : ids) {
      String delta = detokenizer.append(id);
      joined.append(delta);
      assertFalse(
          !delta.isEmpty() && Character.isHighSurrogate(delta.charAt(delta.length() - 1)),
          "half a character");
    }
    return joined.append(detokenizer.finish()).toString();
  }

  @ParameterizedTest
  @FieldSource("dev.millrace.engine.text.Tokenizers#NAMES")
  void theDeltasJoinedAreTheDecodedSequence(String name) {
    RandomGenerator random = random();
    try (Tokenizer tokenizer = Tokenizers.open(directory, name, "")) {
      for (int round = 0; round < ROUNDS; round++) {
        int[] ids = round % 2 == 0 ? randomIds(tokenizer, random) : randomText(tokenizer, random);
        boolean skip = random.nextBoolean();
        assertEquals(
            tokenizer.decode(ids, skip),
            streamed(new Detokenizer(tokenizer, skip), ids),
            () -> Arrays.toString(ids));
      }
    }
  }

  @ParameterizedTest
  @FieldSource("dev.millrace.engine.text.Tokenizers#NAMES")
  void aPrimedDetokenizerContinuesThePrompt(String name) {
    RandomGenerator random = random();
    try (Tokenizer tokenizer = Tokenizers.open(directory, name, "")) {
      for (int round = 0; round < ROUNDS; round++) {
        int[] prompt = randomText(tokenizer, random);
        int[] ids = round % 2 == 0 ? randomIds(tokenizer, random) : randomText(tokenizer, random);
        int[] all = Arrays.copyOf(prompt, prompt.length + ids.length);
        System.arraycopy(ids, 0, all, prompt.length, ids.length);
        var whole = new Detokenizer(tokenizer, true);
        var before = new StringBuilder();
        for (int id : prompt) {
          before.append(whole.append(id));
        }
        String after = streamed(new Detokenizer(tokenizer, prompt, true), ids);
        assertEquals(tokenizer.decode(all, true), before + after, () -> Arrays.toString(all));
      }
    }
  }

  @Test
  void theSpaceBetweenPromptAndCompletionIsKept() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "llama2-like", "")) {
      int[] prompt = tokenizer.encode("Hello", true);
      int[] completion = tokenizer.encode("there", false);
      assertEquals(" there", streamed(new Detokenizer(tokenizer, prompt, true), completion));
      assertEquals("there", streamed(new Detokenizer(tokenizer, true), completion));
    }
  }

  @Test
  void aCharacterAppearsWhenItIsWhole() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "qwen2-like", "")) {
      int[] ids = tokenizer.encode("\uD83E\uDD5F", false);
      var detokenizer = new Detokenizer(tokenizer, true);
      for (int i = 0; i + 1 < ids.length; i++) {
        assertEquals("", detokenizer.append(ids[i]));
      }
      assertEquals("\uD83E\uDD5F", detokenizer.append(ids[ids.length - 1]));
      assertEquals("", detokenizer.finish());
    }
  }

  @Test
  void aCharacterNeverCompletedEndsAsAReplacement() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "qwen2-like", "")) {
      int[] ids = tokenizer.encode("\uD83E\uDD5F", false);
      var detokenizer = new Detokenizer(tokenizer, true);
      assertEquals("", detokenizer.append(ids[0]));
      assertEquals("\uFFFD", detokenizer.finish());
    }
  }

  @Test
  void skippedSpecialTokensLeaveNoText() {
    try (Tokenizer tokenizer = Tokenizers.open(directory, "qwen2-like", "")) {
      int[] ids = tokenizer.encode("a<|im_end|>b<tool_call>", false);
      assertEquals("ab<tool_call>", streamed(new Detokenizer(tokenizer, true), ids));
      assertEquals("a<|im_end|>b<tool_call>", streamed(new Detokenizer(tokenizer, false), ids));
    }
  }
}
