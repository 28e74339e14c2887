package dev.millrace.engine.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Spoils JSON where it hurts: values are put in the place of others, keys come twice, nesting has
 * no end, numbers no bounds, strings no sense.
 */
public final class JsonSpoiler implements Fuzz.Spoiler {
  private static final int DEEP = 100_000;

  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "0",
          "-1",
          "1.5",
          "-0.0",
          "2147483647",
          "2147483648",
          "-2147483648",
          "9223372036854775807",
          "18446744073709551616",
          "1e400",
          "1e-400",
          "1e999999999",
          "NaN",
          "Infinity",
          "\"\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "\"\\udc00\\ud800\"",
          "\"../../../etc/passwd\"",
          "[]",
          "{}",
          "[[]]",
          "[null]",
          "[0, \"a\", {}]",
          "{\"\": 0}",
          "{\"a\": 1, \"a\": 2}",
          "9".repeat(5_000),
          "0." + "3".repeat(5_000),
          "\"" + "x".repeat(100_000) + "\"",
          "[".repeat(DEEP),
          "[".repeat(900) + "]".repeat(900),
          "{\"a\":".repeat(DEEP),
          "[" + "0,".repeat(50_000) + "0]");

  /** A place in a sample: of a value, or of a key with its value. */
  private record Span(int from, int to) {}

  private record Sample(byte[] bytes, List<Span> values, List<Span> fields) {}

  private final List<Sample> samples;

  private JsonSpoiler(List<Sample> samples) {
    this.samples = samples;
  }

  /** A spoiler of sound documents. */
  public static JsonSpoiler of(List<byte[]> documents) throws IOException {
    var samples = new ArrayList<Sample>();
    for (byte[] document : documents) {
      samples.add(read(document));
    }
    return new JsonSpoiler(samples);
  }

  private static Sample read(byte[] bytes) throws IOException {
    var values = new ArrayList<Span>();
    var fields = new ArrayList<Span>();
    var open = new ArrayDeque<Integer>();
    var keys = new ArrayDeque<Integer>();
    try (var parser = new JsonFactory().createParser(bytes)) {
      for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
        int from = (int) parser.currentTokenLocation().getByteOffset();
        if (token == JsonToken.FIELD_NAME) {
          keys.push(from);
          continue;
        }
        if (token.isStructStart()) {
          open.push(from);
          continue;
        }
        if (token.isScalarValue()) {
          parser.finishToken();
        }
        int to = (int) parser.currentLocation().getByteOffset();
        values.add(new Span(token.isStructEnd() ? open.pop() : from, to));
        if (parser.getParsingContext().inObject() && !keys.isEmpty()) {
          fields.add(new Span(keys.pop(), to));
        }
      }
    }
    return new Sample(bytes, values, fields);
  }

  @Override
  public byte[] spoilt(RandomGenerator random) {
    var sample = samples.get(random.nextInt(samples.size()));
    byte[] bytes = sample.bytes();
    var at = any(sample.values(), random);
    byte[] spoilt =
        switch (random.nextInt(8)) {
          case 0, 1, 2 -> put(bytes, at, VALUES.get(random.nextInt(VALUES.size())).getBytes(UTF_8));
          case 3, 4 -> put(bytes, at, part(bytes, any(sample.values(), random)));
          case 5 -> doubled(sample, random);
          case 6 -> put(bytes, at, badText(random));
          default -> bytes;
        };
    return random.nextInt(3) == 0
        ? Fuzz.spoilt(
            spoilt, Math.max(1, Math.min(spoilt.length, 4_000)), VALUES.subList(0, 24), random)
        : spoilt;
  }

  private static byte[] doubled(Sample sample, RandomGenerator random) {
    if (sample.fields().isEmpty()) {
      return sample.bytes();
    }
    var field = any(sample.fields(), random);
    var twice = new ByteArrayOutputStream();
    twice.writeBytes(part(sample.bytes(), field));
    twice.write(',');
    twice.writeBytes(part(sample.bytes(), field));
    return put(sample.bytes(), field, twice.toByteArray());
  }

  /** A string of bytes that are no UTF-8. */
  private static byte[] badText(RandomGenerator random) {
    byte[] text = new byte[3 + random.nextInt(8)];
    random.nextBytes(text);
    text[0] = '"';
    text[1] = (byte) (0x80 + random.nextInt(0x80));
    text[text.length - 1] = '"';
    return text;
  }

  private static Span any(List<Span> spans, RandomGenerator random) {
    return spans.get(random.nextInt(spans.size()));
  }

  private static byte[] part(byte[] bytes, Span span) {
    var part = new ByteArrayOutputStream();
    part.write(bytes, span.from(), span.to() - span.from());
    return part.toByteArray();
  }

  private static byte[] put(byte[] bytes, Span at, byte[] value) {
    var out = new ByteArrayOutputStream();
    out.write(bytes, 0, at.from());
    out.writeBytes(value);
    out.write(bytes, at.to(), bytes.length - at.to());
    return out.toByteArray();
  }
}
