package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.server.TestServer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TokenTextTest {
  @Test
  void charactersAreCountedWhereTheyBegin() {
    assertEquals(4, TokenText.characters("aé€😀".getBytes(StandardCharsets.UTF_8)));
    var bytes = "😀".getBytes(StandardCharsets.UTF_8);
    assertEquals(1, TokenText.characters(new byte[] {bytes[0]}));
    assertEquals(0, TokenText.characters(new byte[] {bytes[1], bytes[2], bytes[3]}));
  }

  @Test
  void partOfACharacterIsShownAsBytes() {
    try (var tokenizer = TestServer.tokenizer()) {
      var text = new TokenText(tokenizer);
      int[] ids = tokenizer.encode("é", false);
      if (ids.length == 2) {
        assertEquals("\\xc3", text.show(ids[0], ""));
        assertEquals("bytes:\\xa9", text.show(ids[1], "bytes:"));
      }
      assertEquals("a", text.show(tokenizer.encode("a", false)[0], "bytes:"));
    }
  }
}
