package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.StreamEvent.Failed;
import dev.millrace.engine.StreamEvent.Finished;
import dev.millrace.engine.StreamEvent.Prompt;
import dev.millrace.engine.StreamEvent.Tokens;
import dev.millrace.engine.sample.SampledToken;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Answers in one body, made of the same events as a stream. */
final class WholeAnswer {
  /** One answer so far. */
  private record Draft(StringBuilder text, List<SampledToken> tokens) {}

  private WholeAnswer() {}

  static ObjectNode collect(AnswerReader answers, AnswerFormat format, UsageCount usage) {
    var drafts =
        Stream.generate(() -> new Draft(new StringBuilder(), new ArrayList<>()))
            .limit(answers.size())
            .toList();
    var choices = new ObjectNode[answers.size()];
    for (int open = answers.size(); open > 0; ) {
      var event = answers.next();
      int index = event.index();
      var draft = drafts.get(index);
      switch (event.event()) {
        case Prompt _ -> {}
        case Tokens tokens -> {
          draft.text.append(tokens.text());
          draft.tokens.addAll(tokens.tokens());
        }
        case Finished end -> {
          usage.finished(index, end.usage(), 0);
          choices[index] = format.whole(index, draft.text.toString(), draft.tokens, end.reason());
          open--;
        }
        case Failed failed -> throw failed.error();
      }
    }
    ArrayNode list = JsonNodeFactory.instance.arrayNode().addAll(List.of(choices));
    var body = format.envelope(false, list);
    body.set("usage", usage.json());
    return body;
  }
}
