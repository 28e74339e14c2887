package dev.millrace.engine;

import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.engine.text.Detokenizer;
import dev.millrace.engine.text.StopRule;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Serves one model: takes requests from any thread and answers each with a {@link TokenStream}. The
 * work is done by one engine thread and one output thread.
 */
public final class Engine implements AutoCloseable {
  private final LinkedBlockingQueue<EngineMessage> inbox = new LinkedBlockingQueue<>();
  private final AtomicLong nextId = new AtomicLong();
  private final Parts parts;
  private final Admission admission;
  private final OutputSide output;
  private final EngineLoop loop;
  private final Thread thread;

  /**
   * What an engine is made of. It does not own the tokenizer; it alone drives the model, which the
   * caller closes after the engine.
   *
   * @param vocabulary length of a row of logits
   */
  public record Parts(
      DeviceModel model,
      int vocabulary,
      Tokenizer tokenizer,
      EngineSettings settings,
      EngineListener listener) {}

  /** Starts the threads. The first scheduler is not kept once another one takes its place. */
  public Engine(Parts parts, NamedScheduler scheduler) {
    this.parts = parts;
    this.admission = new Admission(parts.settings());
    this.output = new OutputSide(g -> inbox.add(new EngineMessage.End(g, null)), parts.listener());
    this.loop = new EngineLoop(parts, scheduler, inbox, admission, output::publish);
    this.thread = Thread.ofPlatform().name("engine-0").unstarted(loop);
    output.start(); // nothing that could fail comes after
    thread.start();
  }

  /**
   * Queues a request and returns at once. Any thread.
   *
   * @throws InferenceException {@code CONTEXT_TOO_LONG}, {@code INVALID_REQUEST} for token ids
   *     outside the vocabulary, {@code QUEUE_FULL}, or {@code UNAVAILABLE} while shutting down
   */
  public TokenStream submit(GenerationRequest request) {
    return submit(request, 1).getFirst();
  }

  /**
   * Queues several answers to one prompt, all or none; the first has the request's seed, each
   * further one the next seed. Any thread.
   *
   * @param answers at least 1
   * @throws InferenceException as for one
   */
  public List<TokenStream> submit(GenerationRequest request, int answers) {
    if (answers < 1) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "n is " + answers + ", it must be at least 1");
    }
    int longest = longestAnswer(request);
    requireKnownTokens(request);
    long first = nextId.getAndAdd(answers) + 1;
    var group = new AnswerGroup(answers);
    var leader = generation(request, first, first, longest, group);
    var streams = new ArrayList<TokenStream>(answers);
    streams.add(leader.stream);
    for (int k = 1; k < answers; k++) {
      var sibling = generation(request.answer(k), first + k, first, longest, group);
      group.holdBack(sibling);
      streams.add(sibling.stream);
    }
    enqueue(leader, answers);
    return streams;
  }

  private Generation generation(
      GenerationRequest request, long id, long requestId, int longest, AnswerGroup group) {
    var detokenizer =
        new Detokenizer(parts.tokenizer(), request.prompt(), request.stop().skipSpecialTokens());
    var text =
        new TextPipeline(
            detokenizer, new StopRule(request.stop().strings(), request.stop().includeString()));
    long now = System.nanoTime();
    var terms = request.terms();
    var sequence =
        new Sequence(
            id,
            requestId,
            request.prompt(),
            longest,
            terms.priority(),
            terms.tenant(),
            now,
            terms.deadline(now));
    var handle = new Generation[1];
    var stream = new TokenStream(() -> cancel(handle[0]));
    handle[0] = new Generation(request, sequence, text, stream, group);
    return handle[0];
  }

  private void enqueue(Generation leader, int answers) {
    int promptTokens = leader.sequence.promptLength();
    var message = new EngineMessage.Submit(leader);
    admission.enter(answers, promptTokens);
    inbox.add(message);
    if (loop.finished() && inbox.remove(message)) {
      for (int k = 0; k < answers; k++) {
        admission.leaveQueue(promptTokens);
        admission.leave();
      }
      throw loop.end();
    }
  }

  /**
   * Has another scheduler plan from the next step on, while requests run. Returns once it does; the
   * one before is then no longer used. Any thread but the engine's.
   *
   * @throws InferenceException {@code UNAVAILABLE} if the engine has stopped
   */
  public void schedule(NamedScheduler scheduler) {
    var done = new CompletableFuture<@Nullable Void>();
    var message = new EngineMessage.Schedule(scheduler, done);
    inbox.add(message);
    if (loop.finished() && inbox.remove(message)) {
      throw new InferenceException(ErrorCode.UNAVAILABLE, "the engine has stopped");
    }
    try {
      done.join();
    } catch (CompletionException e) {
      throw new InferenceException(ErrorCode.UNAVAILABLE, "the engine has stopped", e);
    }
  }

  private void cancel(Generation generation) {
    var error = new InferenceException(ErrorCode.CANCELLED, "the request was cancelled");
    inbox.add(new EngineMessage.End(generation, error));
  }

  /** True while a request would be served. Any thread. */
  public boolean ready() {
    return admission.isOpen() && !loop.finished() && thread.isAlive();
  }

  /**
   * Ends every request with an error, and serves none any more. Any thread.
   *
   * @param error {@code MODEL_LOST} or {@code DEVICE_LOST}
   */
  public void fail(InferenceException error) {
    inbox.add(new EngineMessage.Fail(error));
  }

  /**
   * Completed with {@code MODEL_LOST} or {@code DEVICE_LOST} when no step can follow, and every
   * request has been told. Any thread; what is attached may run on the engine's and must return at
   * once.
   */
  public CompletionStage<InferenceException> lost() {
    return loop.lost().minimalCompletionStage();
  }

  /**
   * Why no request is served any more, if the model or the device is lost; there as soon as the
   * engine is not {@link #ready} for that. Any thread.
   */
  public Optional<InferenceException> failure() {
    return loop.finished() ? Optional.of(loop.end()).filter(EngineLoop::endsAll) : Optional.empty();
  }

  /** The engine after its last step. Any thread. */
  public EngineStats stats() {
    return loop.stats();
  }

  /**
   * Refuses new requests and waits for those inside.
   *
   * @return requests that are still inside when the time is up
   */
  public int drain(Duration atMost) throws InterruptedException {
    admission.shut();
    long end = System.nanoTime() + atMost.toNanos();
    while (admission.inside() > 0 && System.nanoTime() - end < 0 && thread.isAlive()) {
      Thread.sleep(10);
    }
    return admission.inside();
  }

  /** Stops the threads; requests that are still inside fail with {@code UNAVAILABLE}. */
  @Override
  public void close() {
    admission.shut();
    inbox.add(new EngineMessage.Stop());
    Threads.join(thread);
    output.close();
  }

  /** The answer's longest length: what was asked for, or what the context leaves. */
  private int longestAnswer(GenerationRequest request) {
    int prompt = request.prompt().length;
    int context = parts.settings().maxModelLen();
    if (prompt >= context) {
      throw new InferenceException(
          ErrorCode.CONTEXT_TOO_LONG,
          "the prompt has %d tokens; this model's context holds %d, an answer included"
              .formatted(prompt, context));
    }
    return Math.min(request.maxTokens(), context - prompt);
  }

  private void requireKnownTokens(GenerationRequest request) {
    for (int id : request.prompt()) {
      requireKnown(id);
    }
    request.stop().tokenIds().forEach(this::requireKnown);
    request.sampling().logitBias().keySet().forEach(this::requireKnown);
  }

  private void requireKnown(int id) {
    if (id < 0 || id >= parts.vocabulary()) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST,
          "token id %d is outside the vocabulary of %d".formatted(id, parts.vocabulary()));
    }
  }
}
