package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.text.Tokenizer;
import dev.millrace.server.TestServer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class TokenTextTest {
  private static final Tokenizer TOKENIZER = TestServer.tokenizer();
  private final TokenText text = new TokenText(TOKENIZER, true);

  @AfterAll
  static void close() {
    TOKENIZER.close();
  }

  @Test
  void charactersAreCountedWhereTheyBegin() {
    int[] ids = TOKENIZER.encode("aé€😀", false);
    assertTrue(ids.length > 4, "the vocabulary has no such characters");
    assertEquals(4, IntStream.of(ids).map(text::characters).sum());
    assertEquals(0, text.characters(ids[ids.length - 1]));
  }

  @Test
  void hiddenTokensHaveNoCharacters() {
    int special = TOKENIZER.specialIds().iterator().next();
    assertEquals(0, text.characters(special));
    assertTrue(new TokenText(TOKENIZER, false).characters(special) > 0);
  }

  @Test
  void partOfACharacterIsShownAsBytes() {
    int[] ids = TOKENIZER.encode("é", false);
    assertEquals(2, ids.length);
    assertEquals("\\xc3", text.show(ids[0], ""));
    assertEquals("bytes:\\xa9", text.show(ids[1], "bytes:"));
    assertEquals("a", text.show(TOKENIZER.encode("a", false)[0], "bytes:"));
  }
}
