package dev.millrace.engine.text;

/** Text of byte-level tokens. */
final class ByteAssembler implements TextAssembler {
  private final Utf8Stream characters = new Utf8Stream();

  @Override
  public void add(String content, StringBuilder out) {
    for (byte b : ByteAlphabet.bytes(content)) {
      characters.add(b, out);
    }
  }

  @Override
  public void finish(StringBuilder out) {
    characters.finish(out);
  }
}
