package dev.millrace.engine.load;

import dev.millrace.engine.gguf.GgufModel;
import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.ErrorCode;

/** A model in a GGUF file, or in all parts of a split one. */
record StoredGguf(GgufModel model) implements StoredModel {
  @Override
  public JsonModelConfig config() {
    return JsonModelConfig.of(model.path(), model.config());
  }

  @Override
  public GenerationConfig generation() {
    var own = JsonModelConfig.of(model.path(), model.generation());
    return GenerationConfig.of(own.failingWith(ErrorCode.INVALID_CHECKPOINT), own.empty());
  }

  @Override
  public Tokenizer tokenizer() {
    return Tokenizer.of(model.tokenizer(), model.tokenizerConfig(), model.path());
  }

  @Override
  public ChatTemplate chatTemplate() {
    return ChatTemplate.of(model.tokenizerConfig(), model.path());
  }

  @Override
  public WeightSource weights() {
    return GgufCheckpoint.open(model);
  }

  @Override
  public long bytes() {
    return model.bytesInMemory();
  }
}
