package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.InferenceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;

/**
 * The table of SentencePiece that puts texts in place of others: {@code precompiled_charsmap}, in
 * base 64. A little-endian number of bytes, a double-array trie of so many (layout of Darts-clone:
 * a unit has its label in bits 0 to 7 and 31, a leaf in bit 8, its offset in the bits from 10 on,
 * times 256 if bit 9 is set), then texts in UTF-8, each up to a zero; a leaf says where its text
 * begins. The library follows offsets without a look at where the table ends.
 */
final class CharsMap {
  /** Bytes put in place of a few; Unicode's own compatibility forms have up to 33. */
  private static final int LONGEST_TEXT = 100;

  private static final int LABEL = 0x8000_00FF;
  private static final int LEAF = 0x100;

  private final IntBuffer units;
  private final ByteBuffer texts;
  private final CheckedFile file;
  private int longest = 1;

  private CharsMap(IntBuffer units, ByteBuffer texts, CheckedFile file) {
    this.units = units;
    this.texts = texts;
    this.file = file;
  }

  /**
   * Checks a table.
   *
   * @return the bytes of its longest text
   */
  static int check(JsonNode charsMap, CheckedFile file) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(charsMap.isTextual() ? charsMap.textValue() : "?");
    } catch (IllegalArgumentException _) {
      throw file.refused("has a precompiled_charsmap that is no text in base 64");
    }
    var table = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long size = bytes.length < 4 ? 0 : Integer.toUnsignedLong(table.getInt()) / 4 * 4;
    if (size == 0 || size > table.remaining()) {
      throw file.refused("has a precompiled_charsmap that ends before its table does");
    }
    var units = table.slice(4, (int) size).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
    var texts = table.slice(4 + (int) size, bytes.length - 4 - (int) size);
    try {
      var _ = StandardCharsets.UTF_8.newDecoder().decode(texts.duplicate());
    } catch (CharacterCodingException _) {
      throw file.refused("has a precompiled_charsmap whose texts are not UTF-8");
    }
    var map = new CharsMap(units, texts, file);
    map.walk();
    return map.longest;
  }

  /** Takes every way through the trie that some text takes. */
  private void walk() {
    var seen = new BitSet(units.capacity());
    var open = new ArrayDeque<Integer>();
    open.push(offset(units.get(0)));
    while (!open.isEmpty()) {
      int node = open.pop();
      if ((node | 0xFF) >= units.capacity()) {
        throw leaves();
      }
      if (seen.get(node)) {
        continue;
      }
      seen.set(node);
      for (int label = 1; label < 0x100; label++) {
        int unit = units.get(node ^ label);
        if ((unit & LABEL) == label) {
          int child = node ^ label ^ offset(unit);
          open.push(child);
          if ((unit & LEAF) != 0) {
            checkText(child);
          }
        }
      }
    }
  }

  private static int offset(int unit) {
    return (unit >>> 10) << ((unit & 0x200) >>> 6);
  }

  private void checkText(int leaf) {
    int from = leaf < units.capacity() ? units.get(leaf) & Integer.MAX_VALUE : Integer.MAX_VALUE;
    int end = texts.capacity();
    boolean inside = from < end && (texts.get(from) & 0xC0) != 0x80;
    if (from != end && !inside) {
      throw leaves();
    }
    int to = from;
    while (to < end && texts.get(to) != 0) {
      to++;
      if (to - from > LONGEST_TEXT) {
        throw file.refused(
            "has a precompiled_charsmap with a text of more than %d bytes".formatted(LONGEST_TEXT));
      }
    }
    longest = Math.max(longest, to - from);
  }

  private InferenceException leaves() {
    return file.refused("has a precompiled_charsmap that points outside itself");
  }
}
