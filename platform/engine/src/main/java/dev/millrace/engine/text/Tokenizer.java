package dev.millrace.engine.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.engine.text.checks.TextCheck;
import dev.millrace.engine.text.checks.TokenizerChecks;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * A model's tokenizer, run by the Hugging Face tokenizers library. Any number of threads may use
 * one; the owner closes it, after which every call that needs the library fails.
 */
public final class Tokenizer implements AutoCloseable {
  /** Without these the library's Java face cuts at 512 ids and pads. */
  private static final Map<String, String> OPTIONS =
      Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false");

  private final HuggingFaceTokenizer library;
  private final Vocabulary vocabulary;
  private final OptionalInt bosId;
  private final OptionalInt eosId;
  private final OptionalInt addedFirst;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private Tokenizer(HuggingFaceTokenizer library, Vocabulary vocabulary, SpecialTokens specials) {
    this.library = library;
    this.vocabulary = vocabulary;
    this.bosId = id(specials, "bos_token", vocabulary);
    this.eosId = id(specials, "eos_token", vocabulary);
    int[] plain = ids("a", false);
    int[] full = ids("a", true);
    this.addedFirst =
        full.length > plain.length && full[0] != plain[0]
            ? OptionalInt.of(full[0])
            : OptionalInt.empty();
  }

  private static OptionalInt id(SpecialTokens specials, String name, Vocabulary vocabulary) {
    return specials.get(name).map(vocabulary::id).orElse(OptionalInt.empty());
  }

  /**
   * Opens the tokenizer.json of a model directory; tokenizer_config.json beside it is read too.
   *
   * @throws InferenceException INVALID_CHECKPOINT if a file is missing or damaged
   */
  public static Tokenizer open(Path modelDir) {
    Path file = modelDir.resolve("tokenizer.json");
    byte[] bytes = // read once, so that what is checked is what the library gets
        ModelFiles.bytes(file)
            .orElseThrow(() ->
                ModelFiles.invalid(
                    file, "is missing; the model directory must have a tokenizer.json", null));
    JsonNode json = ModelFiles.unambiguousJson(ModelFiles.text(bytes, file), file);
    return open(bytes, json, SpecialTokens.read(modelDir), file);
  }

  /**
   * Opens a tokenizer that is not in a file of its own.
   *
   * @param json what a tokenizer.json would hold
   * @param config what the tokenizer_config.json beside it would hold
   * @param file where both come from, for messages
   * @throws InferenceException INVALID_CHECKPOINT if it is damaged
   */
  public static Tokenizer of(JsonNode json, JsonNode config, Path file) {
    return of(json, SpecialTokens.of(config), file);
  }

  /**
   * Opens the tokenizer of a model directory that lacks a tokenizer.json; its tokenizer_config.json
   * is read.
   *
   * @param json what a tokenizer.json would hold
   * @throws InferenceException INVALID_CHECKPOINT if it is damaged
   */
  public static Tokenizer of(JsonNode json, Path modelDir) {
    return of(json, SpecialTokens.read(modelDir), modelDir);
  }

  private static Tokenizer of(JsonNode json, SpecialTokens specials, Path file) {
    return open(json.toString().getBytes(StandardCharsets.UTF_8), json, specials, file);
  }

  private static Tokenizer open(byte[] bytes, JsonNode json, SpecialTokens specials, Path file) {
    check(json, file);
    Vocabulary vocabulary = Vocabulary.of(json, file);
    HuggingFaceTokenizer library = openLibrary(bytes, file);
    try {
      return new Tokenizer(library, vocabulary, specials);
    } catch (RuntimeException e) {
      library.close();
      throw ModelFiles.invalid(
          file, "cannot be used: " + ModelFiles.beginning(String.valueOf(e.getMessage())), e);
    }
  }

  private static void check(JsonNode json, Path file) {
    try {
      TokenizerChecks.check(json, file);
    } catch (LinkageError e) {
      throw noLibrary(e);
    }
  }

  private static HuggingFaceTokenizer openLibrary(byte[] bytes, Path file) {
    try {
      return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(bytes), OPTIONS);
    } catch (LinkageError e) {
      throw noLibrary(e);
    } catch (IOException | RuntimeException e) {
      throw ModelFiles.invalid(
          file, "cannot be loaded: " + ModelFiles.beginning(String.valueOf(e.getMessage())), e);
    }
  }

  private static InferenceException noLibrary(LinkageError e) {
    return new InferenceException(
        ErrorCode.INTERNAL, "the native tokenizers library cannot be loaded: " + e, e);
  }

  /** The token that {@link #encode} with special tokens puts before every text, if there is one. */
  public OptionalInt addedFirst() {
    return addedFirst;
  }

  /**
   * The ids of a text. With {@code addSpecialTokens} the tokenizer adds what its model expects
   * around a text, such as BOS; a text that already starts with that token keeps just the one.
   *
   * @throws InferenceException INVALID_REQUEST if the library fails on this text, as it does on an
   *     unknown word when the vocabulary has no token for unknown ones, or if it would not survive
   *     it
   */
  public int[] encode(String text, boolean addSpecialTokens) {
    int[] ids = ids(text, addSpecialTokens);
    boolean doubled =
        addSpecialTokens
            && addedFirst.isPresent()
            && ids.length > 1
            && ids[0] == addedFirst.getAsInt()
            && ids[1] == ids[0];
    return doubled ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
  }

  private int[] ids(String text, boolean addSpecialTokens) {
    TextCheck.check(text);
    long[] ids =
        open(() -> {
          try {
            return library.encode(text, addSpecialTokens, false).getIds();
          } catch (RuntimeException e) { // all that the library throws
            throw new InferenceException(
                ErrorCode.INVALID_REQUEST,
                "the tokenizer cannot encode this text: " + e.getMessage(),
                e);
          }
        });
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  /** The text of ids, as the library decodes them; incomplete characters become U+FFFD. */
  public String decode(int[] ids, boolean skipSpecialTokens) {
    if (ids.length == 0) {
      return "";
    }
    long[] wide = Arrays.stream(ids).asLongStream().toArray();
    return open(() -> library.decode(wide, skipSpecialTokens));
  }

  private <T> T open(Supplier<T> use) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      return use.get();
    } finally {
      lock.readLock().unlock();
    }
  }

  /** The text of one token by itself; bytes that are no whole character become U+FFFD. */
  public String token(int id) {
    var text = new StringBuilder();
    var characters = new Utf8Stream();
    for (byte b : tokenBytes(id)) {
      characters.add(b, text);
    }
    characters.finish(text);
    return text.toString();
  }

  /** The exact bytes of one token; none for an id without a token. */
  public byte[] tokenBytes(int id) {
    String content = vocabulary.content(id);
    if (content == null) {
      return new byte[0];
    }
    return vocabulary.isSpecial(id)
        ? content.getBytes(StandardCharsets.UTF_8)
        : vocabulary.decoder().bytes(content);
  }

  /** One more than the largest id. */
  public int vocabularySize() {
    return vocabulary.size();
  }

  /** The ids that {@code skipSpecialTokens} drops. */
  public Set<Integer> specialIds() {
    return vocabulary.specialIds();
  }

  public OptionalInt bosId() {
    return bosId;
  }

  public OptionalInt eosId() {
    return eosId;
  }

  Vocabulary vocabulary() {
    return vocabulary;
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        library.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
