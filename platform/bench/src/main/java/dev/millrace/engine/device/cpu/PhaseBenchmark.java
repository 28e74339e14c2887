package dev.millrace.engine.device.cpu;

import java.util.concurrent.TimeUnit;
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
 * A phase whose slices do nothing: what it costs to begin one, to share its slices out and to wait
 * for its end. Meant for as many threads as there are idle cores.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class PhaseBenchmark {
  @Param({"1", "2"})
  int threads = 1;

  /** With two a thread has one; with more, taking them counts as well. */
  @Param({"2", "64"})
  int slices = 2;

  private @Nullable Workers workers;

  /** Starts the threads, this one being the first of them. */
  @Setup(Level.Trial)
  public void open() {
    workers = new Workers(threads);
    workers.attach();
  }

  @TearDown(Level.Trial)
  public void close() {
    if (workers != null) {
      workers.close();
    }
  }

  /** One phase. */
  @Benchmark
  public void phase() {
    if (workers != null) {
      workers.run(slices, (_, _) -> {});
    }
  }
}
