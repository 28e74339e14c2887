package dev.millrace.engine.flight;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Memos as text: they are values of the JDK, which the JDK itself can serialize. */
final class MemoText {
  /** Stands for a memo that could not be written. */
  static final String UNKNOWN = "?";

  /** Numbers, strings, times and collections; nothing that could run code of a file's choosing. */
  private static final ObjectInputFilter VALUES =
      ObjectInputFilter.Config.createFilter(
          "maxdepth=64;maxbytes=16777216;java.lang.*;java.util.*;java.math.*;java.time.*;!*");

  private MemoText() {}

  static String write(@Nullable Object memo) {
    if (memo == null) {
      return "";
    }
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(memo);
    } catch (IOException | RuntimeException | StackOverflowError _) {
      return UNKNOWN;
    }
    return Base64.getEncoder().encodeToString(bytes.toByteArray());
  }

  /** Reads what {@link #write} wrote. */
  static @Nullable Object read(String text) {
    if (text.isEmpty()) {
      return null;
    }
    if (text.equals(UNKNOWN)) {
      throw new IllegalArgumentException("a memo could not be recorded");
    }
    try (var in =
        new ObjectInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(text)))) {
      in.setObjectInputFilter(VALUES);
      return in.readObject();
    } catch (IOException | ClassNotFoundException e) {
      throw new IllegalArgumentException("a memo that is none", e);
    }
  }
}
