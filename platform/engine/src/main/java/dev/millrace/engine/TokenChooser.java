package dev.millrace.engine;

import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.sample.SampledToken;
import dev.millrace.engine.sample.Sampler;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayList;

/**
 * Makes tokens and log-probabilities of a step's logits. Whatever goes wrong ends the one sequence
 * it concerns, but for what ends all. Owned by the engine thread.
 */
final class TokenChooser {
  private final DeviceModel model;
  private final Roster roster;
  private final Outbox outbox;
  private final Sampler sampler;
  private final float[] logits;

  TokenChooser(DeviceModel model, int vocabulary, Roster roster, Outbox outbox) {
    this.model = model;
    this.roster = roster;
    this.outbox = outbox;
    this.sampler = new Sampler(vocabulary);
    this.logits = new float[vocabulary];
  }

  /** Leaves the choice at a pick to the device, if nothing else is wanted of its logits. */
  void askFor(Generation generation, int pick, TokenDraws draws) {
    var request = generation.request;
    var params = request.sampling();
    if (request.logprobs().answer() < 0
        && params.leavesLogitsAlone()
        && generation.banned().isEmpty()) {
      draws.add(
          pick,
          new TokenDraws.Draw(
              params.temperature(),
              params.topK(),
              params.topP(),
              params.minP(),
              params.seed(),
              generation.produced()));
    }
  }

  /**
   * Takes what one sequence got from the step.
   *
   * @param firstPick its first picked row
   * @param rows how many of its rows were picked
   * @param draws what the device has chosen already
   * @return tokens sampled, siblings' first ones included
   */
  int take(Generation generation, int firstPick, int rows, TokenDraws draws) {
    try {
      int pick = firstPick;
      if (generation.owesPromptLogprobs()) {
        int last = generation.sequence.promptLength() - 1;
        int ofPrompt = Math.min(rows, last - generation.promptRows);
        reportPrompt(generation, pick, ofPrompt);
        pick += ofPrompt;
      }
      return pick < firstPick + rows ? sample(generation, pick, draws) : 0;
    } catch (RuntimeException | OutOfMemoryError e) {
      fail(generation, e);
      return 0;
    }
  }

  private void reportPrompt(Generation generation, int firstPick, int rows) {
    var sequence = generation.sequence;
    var tokens = new ArrayList<SampledToken>(rows);
    for (int i = 0; i < rows; i++) {
      model.logits(firstPick + i, logits);
      int token = sequence.token(generation.promptRows + i + 1);
      tokens.add(sampler.report(logits, token, generation.request.logprobs().prompt()));
    }
    generation.promptRows += rows;
    if (!generation.owesPromptLogprobs()) {
      sequence.lease().mayRead(true);
    }
    outbox.add(new OutputMessage.Prompt(generation, tokens));
    generation.group.report(tokens);
  }

  private int sample(Generation generation, int pick, TokenDraws draws) {
    var siblings = roster.fork(generation, outbox.now());
    int sampled = chooseOrFail(generation, pick, draws.token(pick));
    for (var sibling : siblings) {
      if (!generation.group.reported().isEmpty()) {
        outbox.add(new OutputMessage.Prompt(sibling, generation.group.reported()));
      }
      sampled += chooseOrFail(sibling, pick, TokenDraws.NOT_DRAWN);
    }
    return sampled;
  }

  private int chooseOrFail(Generation generation, int pick, int drawn) {
    try {
      choose(generation, drawn < 0 ? sampled(generation, pick) : SampledToken.unrated(drawn));
      return 1;
    } catch (RuntimeException | OutOfMemoryError e) {
      fail(generation, e);
      return 0;
    }
  }

  private SampledToken sampled(Generation generation, int pick) {
    if (generation.sequence.expects()) { // a further step has run since: there are no logits to say
      throw new InferenceException(
          ErrorCode.NUMERICAL_FAILURE,
          "no token can be drawn: logits are no numbers, or too small");
    }
    var request = generation.request;
    model.logits(pick, logits);
    return sampler.sample(
        logits,
        request.sampling(),
        generation.sequence,
        generation.banned(),
        request.logprobs().answer());
  }

  private void choose(Generation generation, SampledToken token) {
    generation.sequence.append(token.id());
    var reason = generation.reasonToEnd(token.id());
    outbox.add(new OutputMessage.Sampled(generation, token, reason));
    if (reason != null) {
      roster.remove(generation);
    }
  }

  private void fail(Generation generation, Throwable cause) {
    var error =
        cause instanceof InferenceException typed
            ? typed
            : new InferenceException(
                ErrorCode.INTERNAL, "choosing a token failed: " + cause, cause);
    if (error.code() == ErrorCode.NUMERICAL_FAILURE) {
      generation.sequence.lease().disown(); // nobody shall inherit what led to it
    }
    roster.end(generation, error);
    if (EngineLoop.endsAll(error)) {
      throw error;
    }
  }
}
