package dev.millrace.cuda;

import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.Value;
import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One program of a model, ready to be launched for up to so many rows; made again for more, or when
 * addresses that it refers to have changed. Entered threads only.
 */
final class Replay implements Owned.Closing {
  private final Program program;
  private final KernelModules kernels;
  private final Weights weights;
  private final KvCache cache;
  private final StepInput input;
  private final int mostRows;
  private @Nullable Activations activations;
  private @Nullable Arena arena;
  private List<Launch> launches = List.of();
  private int capacity;

  /**
   * Nothing yet.
   *
   * @param mostRows that will ever be wanted
   */
  Replay(
      Program program,
      KernelModules kernels,
      Weights weights,
      KvCache cache,
      StepInput input,
      int mostRows) {
    this.program = program;
    this.kernels = kernels;
    this.weights = weights;
    this.cache = cache;
    this.input = input;
    this.mostRows = mostRows;
  }

  /** Gets ready for so many rows; for more than before, what the activations held is lost. */
  @SuppressWarnings("MustBeClosedChecker") // closed by forget()
  Activations ensure(int rows) {
    var ready = activations;
    if (ready != null && rows <= capacity) {
      return ready;
    }
    int wanted = Math.max(rows, Math.min(mostRows, 2 * capacity));
    forget();
    var made = new Activations(program, wanted);
    activations = made;
    arena = Arena.ofShared();
    launches =
        ProgramCompiler.compile(program, kernels, weights, cache, input, made, wanted, arena);
    capacity = wanted;
    return made;
  }

  /** Gives up what it has, to be made again when it is next needed. */
  void forget() {
    capacity = 0;
    launches = List.of();
    if (activations != null) {
      activations.close();
      activations = null;
    }
    if (arena != null) {
      arena.close();
      arena = null;
    }
  }

  /** Puts the program into the stream, for rows that it is ready for. */
  void run(int rows, long stream) {
    for (var launch : launches) {
      launch.run(rows, stream);
    }
  }

  Value input() {
    return program.input();
  }

  Value output() {
    return program.output();
  }

  @Override
  public void close() {
    forget();
  }
}
