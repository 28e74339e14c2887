package dev.millrace.server.quality;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.InferenceHost;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.text.ChatPrompt;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Questions with the facts that an answer must hold, as in {@code platform/demo-model/evaluation}:
 * a turn of the assistant without content stands for what the model itself said; an answer is right
 * if of each list of {@code facts} one occurs in it and nothing of {@code not} does.
 */
final class Questions {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final TypeReference<Map<String, Object>> MESSAGE = new TypeReference<>() {};
  private static final int LONGEST_ANSWER = 160;

  private final List<JsonNode> questions;

  private Questions(List<JsonNode> questions) {
    this.questions = questions;
  }

  /** Reads a file of a JSON object per line. */
  static Questions read(Path file) {
    var questions = new ArrayList<JsonNode>();
    try {
      for (String line : Files.readAllLines(file)) {
        if (!line.isBlank()) {
          questions.add(MAPPER.readTree(line));
        }
      }
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, file + " cannot be read as questions: " + e, e);
    }
    return new Questions(questions);
  }

  int count() {
    return questions.size();
  }

  /** How many a model answers right, greedily. All are asked at once. */
  int right(InferenceHost host) throws InterruptedException {
    var chats = new ArrayList<List<Map<String, Object>>>();
    questions.forEach(_ -> chats.add(new ArrayList<>()));
    var answers = new String[questions.size()];
    while (true) {
      var asked = new ArrayList<Integer>();
      var streams = new ArrayList<TokenStream>();
      for (int i = 0; i < answers.length; i++) {
        if (extend(chats.get(i), questions.get(i).get("turns"))) {
          asked.add(i);
          streams.add(ask(host, chats.get(i)));
        }
      }
      if (asked.isEmpty()) {
        break;
      }
      for (int k = 0; k < asked.size(); k++) {
        int i = asked.get(k);
        answers[i] = text(streams.get(k));
        chats.get(i).add(Map.of("role", "assistant", "content", answers[i]));
      }
    }
    int right = 0;
    for (int i = 0; i < answers.length; i++) {
      right += isRight(questions.get(i), answers[i]) ? 1 : 0;
    }
    return right;
  }

  /** Adds the turns up to the next that the model has; false if its last answer is there. */
  private static boolean extend(List<Map<String, Object>> chat, JsonNode turns) {
    while (chat.size() < turns.size() && !turns.get(chat.size()).get("content").isNull()) {
      chat.add(MAPPER.convertValue(turns.get(chat.size()), MESSAGE));
    }
    return chat.size() <= turns.size();
  }

  private static TokenStream ask(InferenceHost host, List<Map<String, Object>> chat) {
    var model = host.model();
    String prompt = model.chatTemplate().render(new ChatPrompt(chat));
    int[] ids = model.tokenizer().encode(prompt, false);
    return host.engine()
        .submit(
            GenerationRequest.of(
                "quality",
                ids,
                LONGEST_ANSWER,
                SamplingParams.greedy(),
                StopConditions.at(model.eosIds())));
  }

  private static String text(TokenStream stream) throws InterruptedException {
    var text = new StringBuilder();
    while (true) {
      switch (stream.next()) {
        case StreamEvent.Prompt _ -> {}
        case StreamEvent.Tokens tokens -> text.append(tokens.text());
        case StreamEvent.Finished _ -> {
          return text.toString();
        }
        case StreamEvent.Failed failed -> throw failed.error();
      }
    }
  }

  /** Whether an answer holds the facts. */
  static boolean isRight(JsonNode question, String answer) {
    String said = plain(answer);
    return elements(question.path("facts"))
            .allMatch(fact -> elements(fact).anyMatch(one -> said.contains(plain(one.asText()))))
        && elements(question.path("not")).noneMatch(one -> said.contains(plain(one.asText())));
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static String plain(String text) {
    return String.join(" ", text.toLowerCase(Locale.ROOT).replace("’", "'").strip().split("\\s+"));
  }
}
