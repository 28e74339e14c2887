package dev.millrace.engine.tiktoken;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is wrong with a vocabulary is named, with its file. */
class TiktokenFileTest {
  @TempDir private Path folder;

  private static List<String> bytes() {
    var lines = new ArrayList<String>();
    for (int b = 0; b < 256; b++) {
      lines.add(line(String.valueOf((char) b), b));
    }
    return lines;
  }

  private static String line(String token, int rank) {
    return Base64.getEncoder().encodeToString(token.getBytes(ISO_8859_1)) + " " + rank;
  }

  private TiktokenFile read(List<String> lines) throws IOException {
    var file = folder.resolve(QwenText.FILE);
    Files.writeString(file, String.join("\n", lines) + "\n", ISO_8859_1);
    return TiktokenFile.read(file);
  }

  @Test
  void tokensComeByRank() throws IOException {
    var lines = bytes();
    lines.addFirst(line("ab", 257));
    lines.add(line("th", 256));
    var file = read(lines);
    assertEquals(258, file.tokens().size());
    assertEquals("th", file.tokens().get(256));
    assertEquals(257, file.ranks().get("ab"));
    assertEquals("\u00FF", file.tokens().get(255));
  }

  static Stream<Arguments> damage() {
    return Stream.of(
        Arguments.of(257, "YWI", "line 257 is no token"),
        Arguments.of(257, "Y*I= 256", "line 257 is no token"),
        Arguments.of(257, " 256", "line 257 is no token"),
        Arguments.of(257, "YWI= x", "line 257 is no token"),
        Arguments.of(257, "YWI= -1", "line 257 is no token"),
        Arguments.of(257, "YWI= 99999999999", "line 257 is no token"),
        Arguments.of(257, "YWI=  256", "line 257 is no token"),
        Arguments.of(257, line("x".repeat(257), 256), "line 257 is no token of 1 to 256 bytes"),
        Arguments.of(257, line("a", 256), "line 257 has a token that is there before"),
        Arguments.of(257, line("ab", 257), "has a token of rank 257 among 257 tokens"),
        Arguments.of(257, line("ab", 7), "has no token of rank"),
        Arguments.of(98, line("ab", 97), "has no token for the byte 0x61"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("damage")
  void damageIsNamed(int number, String line, String message) throws IOException {
    var lines = bytes();
    if (number > lines.size()) {
      lines.add(line);
    } else {
      lines.set(number - 1, line);
    }
    var error = assertThrows(InferenceException.class, () -> read(lines));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
    var text = String.valueOf(error.getMessage());
    assertTrue(text.contains(message) && text.contains(QwenText.FILE), text);
  }

  @Test
  void aFileThatCannotBeReadIsNamed() {
    var error =
        assertThrows(InferenceException.class, () -> TiktokenFile.read(folder.resolve("none")));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
  }
}
