package dev.millrace.engine.text;

/** Puts the text of a sequence together, token by token, as far as it is certain. */
sealed interface TextAssembler permits ByteAssembler, PieceAssembler {
  void add(String content, StringBuilder out);

  /** Ends the sequence: what was incomplete is written as the tokenizer would write it. */
  void finish(StringBuilder out);
}
