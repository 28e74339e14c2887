package dev.millrace.engine.load;

import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A model in memory, with all that is needed to talk to it. Closed after everything that runs it.
 *
 * @param weightBytes of its matrices, in the formats they are kept in
 * @param source owns the memory of the weights
 */
public record LoadedModel(
    ModelSpec spec,
    Model model,
    Tokenizer tokenizer,
    ChatTemplate chatTemplate,
    GenerationConfig generation,
    long weightBytes,
    WeightSource source)
    implements AutoCloseable {

  /** Tokens that end an answer: those of the generation configuration and the tokenizer's own. */
  public Set<Integer> eosIds() {
    var ids = new LinkedHashSet<>(generation.eos());
    tokenizer.eosId().ifPresent(ids::add);
    ids.removeIf(id -> id >= spec.vocabulary()); // no row of logits can yield them
    return ids;
  }

  @Override
  public void close() {
    tokenizer.close();
    source.close();
  }
}
