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
import java.util.stream.IntStream;

/** Answers in one body, made of the same events as a stream. */
final class WholeAnswer {
  /** One answer so far. */
  private record Draft(List<SampledToken> prompt, StringBuilder text, List<SampledToken> tokens) {}

  private WholeAnswer() {}

  static ObjectNode collect(AnswerReader answers, Asked asked) {
    var drafts =
        IntStream.range(0, answers.size())
            .mapToObj(index ->
                new Draft(asked.promptSoFar(index), new StringBuilder(), new ArrayList<>()))
            .toList();
    var choices = new ObjectNode[answers.size()];
    for (int open = answers.size(); open > 0; ) {
      var event = answers.next();
      int index = event.index();
      var draft = drafts.get(index);
      switch (event.event()) {
        case Prompt prompt -> draft.prompt.addAll(prompt.tokens());
        case Tokens tokens -> {
          if (!asked.promptOnly()) {
            draft.text.append(tokens.text());
            draft.tokens.addAll(tokens.tokens());
          }
        }
        case Finished end -> {
          asked.usage().finished(index, end.usage(), 0);
          choices[index] =
              asked
                  .format()
                  .whole(
                      index,
                      draft.prompt,
                      draft.text.toString(),
                      draft.tokens,
                      asked.reason(end.reason()));
          open--;
        }
        case Failed failed -> throw failed.error();
      }
    }
    ArrayNode list = JsonNodeFactory.instance.arrayNode().addAll(List.of(choices));
    var body = asked.format().envelope(false, list);
    body.set("usage", asked.usage().json());
    asked.format().describePrompt(body, drafts.getFirst().prompt);
    return body;
  }
}
