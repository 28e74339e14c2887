package dev.millrace.engine.text;

/**
 * Turns the ids of one sequence into text as they come. All that {@link #append} and {@link
 * #finish} return, joined, is exactly what the tokenizer decodes from the whole sequence; no part
 * ends within a character. The cost of a token does not depend on the text before it. Used by one
 * thread at a time.
 */
public final class Detokenizer {
  private final Vocabulary vocabulary;
  private final boolean skipSpecialTokens;
  private final TextAssembler assembler;
  private final StringBuilder text = new StringBuilder();

  public Detokenizer(Tokenizer tokenizer, boolean skipSpecialTokens) {
    this(tokenizer, new int[0], skipSpecialTokens);
  }

  /**
   * A detokenizer that goes on after a prompt: the prompt's text and what this returns are together
   * what the tokenizer decodes from both, so that a space between them is kept. A character left
   * incomplete by the prompt is returned with the ids that complete it.
   */
  public Detokenizer(Tokenizer tokenizer, int[] promptIds, boolean skipSpecialTokens) {
    this.vocabulary = tokenizer.vocabulary();
    this.skipSpecialTokens = skipSpecialTokens;
    this.assembler = vocabulary.decoder().assembler();
    for (int id : promptIds) {
      add(id);
      text.setLength(0);
    }
  }

  private void add(int id) {
    String content = vocabulary.content(id);
    if (content != null && !(skipSpecialTokens && vocabulary.isSpecial(id))) {
      assembler.add(content, text);
    }
  }

  /** The text that this id completes; often its own, "" while a character is incomplete. */
  public String append(int id) {
    add(id);
    return taken();
  }

  /** The text held back till now; incomplete bytes become U+FFFD. The sequence ends here. */
  public String finish() {
    assembler.finish(text);
    return taken();
  }

  private String taken() {
    String taken = text.toString();
    text.setLength(0);
    return taken;
  }
}
