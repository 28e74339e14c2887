package dev.millrace.engine;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.schedulers.ContinuousPlugin;
import dev.millrace.schedulers.PriorityPlugin;
import dev.millrace.schedulers.ShortestFirstPlugin;
import dev.millrace.schedulers.StaticPlugin;
import dev.millrace.spi.SchedulerPlugin;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the host does in a step in which every sequence decodes one token: view, plan, check,
 * blocks, batch, results handed over, step event. The device does nothing, and with a vocabulary of
 * one token there is nothing to sample.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 8) // fresh sequences make the compiler begin again
@Measurement(iterations = 3, time = 10)
@Fork(
    value = 1,
    jvmArgsAppend = {"-XX:+UseG1GC", "-Xms3g", "-Xmx3g"})
public class StepBenchmark {
  private static final int BLOCK_SIZE = 16;
  private static final int PROMPT = 100;
  private static final int LONGEST = 1 << 24;

  @Param({"32", "1024"})
  int sequences;

  @Param("continuous")
  String scheduler = "continuous";

  /** Whether JDK Flight Recorder runs and takes every step's event. */
  @Param({"false", "true"})
  boolean recorded;

  private @Nullable EngineLoop loop;
  private @Nullable Recording recording;

  /** Fresh sequences, whose prompts are computed and which never end. */
  @Setup(Level.Iteration)
  public void start() throws Exception {
    if (recorded && recording == null) {
      recording = new Recording();
      recording.enable("dev.millrace.Step");
      recording.setMaxSize(64 << 20);
      recording.start();
    }
    int blocks = 1 << 20;
    var settings =
        new EngineSettings(
            (int) Math.min(LONGEST, (long) blocks * BLOCK_SIZE),
            sequences,
            Math.max(sequences, 4096),
            BLOCK_SIZE,
            blocks,
            true,
            sequences,
            Integer.MAX_VALUE);
    var parts = parts(settings);
    var inbox = new LinkedBlockingQueue<EngineMessage>();
    var admission = new Admission(settings);
    var fresh = new EngineLoop(parts, named(), inbox, admission, StepBenchmark::take);
    for (int i = 1; i <= sequences; i++) {
      admission.enter(1, PROMPT);
      inbox.add(new EngineMessage.Submit(generation(i)));
    }
    for (int i = 0; i < 2 + sequences * PROMPT / 4096; i++) {
      fresh.turn();
    }
    if (fresh.stats().running() != sequences) {
      throw new IllegalStateException(fresh.stats().toString());
    }
    loop = fresh;
  }

  @TearDown
  public void stop() {
    if (recording != null) {
      recording.close();
    }
  }

  @Benchmark
  public void step() throws InterruptedException {
    if (loop != null) {
      loop.turn();
    }
  }

  /** Results are dropped where the output thread would take them. */
  private static void take(StepOutput output) {
    if (output.messages().isEmpty()) {
      throw new IllegalStateException("a step without results");
    }
  }

  private static Engine.Parts parts(EngineSettings settings) {
    return new Engine.Parts(new Nothing(), 1, absent(), settings, EngineListener.NONE);
  }

  private NamedScheduler named() {
    SchedulerPlugin plugin =
        switch (scheduler) {
          case "continuous" -> new ContinuousPlugin();
          case "priority" -> new PriorityPlugin();
          case "shortest-first" -> new ShortestFirstPlugin();
          case "static" -> new StaticPlugin();
          default -> throw new IllegalArgumentException(scheduler);
        };
    return new NamedScheduler(scheduler, plugin.create(Map.of()));
  }

  private static Generation generation(int id) {
    int[] prompt = new int[PROMPT];
    var request =
        GenerationRequest.of(
            "bench", prompt, LONGEST / 2, SamplingParams.greedy(), StopConditions.at(Set.of()));
    var sequence =
        new Sequence(id, id, prompt, LONGEST / 2, 0, "", System.nanoTime(), Long.MAX_VALUE);
    return new Generation(
        request, sequence, absent(), new TokenStream(() -> {}), new AnswerGroup(1));
  }

  /** What the engine thread only hands on. */
  @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
  private static <T> T absent() {
    return null;
  }

  /** A device that computes nothing. */
  private record Nothing() implements DeviceModel {
    @Override
    public void run(StepBatch batch) {}

    @Override
    public void logits(int pick, float[] out) {
      out[0] = 0;
    }

    @Override
    public void close() {}
  }
}
