package dev.millrace.engine.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Utf8StreamTest {
  private static String decode(byte[] bytes) {
    var out = new StringBuilder();
    var stream = new Utf8Stream();
    for (byte b : bytes) {
      stream.add(b, out);
    }
    stream.finish(out);
    return out.toString();
  }

  @Test
  void everyCharacterComesBack() {
    var all = new StringBuilder();
    for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
      if (point < 0xD800 || point > 0xDFFF) {
        all.appendCodePoint(point);
      }
    }
    assertEquals(all.toString(), decode(all.toString().getBytes(UTF_8)));
  }

  /** How many replacements the maximal parts of each malformed sequence make. */
  @ParameterizedTest
  @CsvSource({
    "80, 1",
    "C0AF, 2",
    "C2, 1",
    "E282, 1",
    "E08080, 3",
    "EDA080, 3",
    "F09F98, 1",
    "F0808080, 4",
    "F4908080, 4",
    "F5, 1",
    "FFFE, 2",
    "E2C2, 2",
    "F09FE282, 2"
  })
  void malformedBytesAreReplacedPartByPart(String hex, int replacements) {
    assertEquals("\uFFFD".repeat(replacements), decode(HexFormat.of().parseHex(hex)));
  }

  @Test
  void whatFollowsAMalformedPartIsKept() {
    assertEquals("\uFFFDa", decode(new byte[] {(byte) 0xE2, (byte) 0x82, 'a'}));
  }
}
