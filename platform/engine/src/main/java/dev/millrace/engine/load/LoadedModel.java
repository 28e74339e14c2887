package dev.millrace.engine.load;

import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A model in memory, with all that is needed to talk to it. Closed after everything that runs it.
 *
 * @param formats that its matrices are kept in
 * @param source owns the memory of the weights
 */
public record LoadedModel(
    ModelSpec spec,
    Model model,
    Tokenizer tokenizer,
    ChatTemplate chatTemplate,
    GenerationConfig generation,
    List<WeightFormat> formats,
    WeightSource source)
    implements AutoCloseable {
  public LoadedModel {
    formats = List.copyOf(formats);
  }

  /** Bytes of its matrices. */
  public long weightBytes() {
    return formats.stream().mapToLong(WeightFormat::bytes).sum();
  }

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
