package dev.millrace.cuda;

import dev.millrace.engine.device.KvDtype;
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
  private final NumberTypes types;
  private final KvDtype dtype;
  private final ProgramCompiler.Parts parts;
  private final int mostRows;
  private @Nullable Activations activations;
  private @Nullable Arena arena;
  private List<Work> works = List.of();
  private final Graphs graphs = new Graphs();
  private int capacity;

  /**
   * Nothing yet.
   *
   * @param mostRows that will ever be wanted
   */
  Replay(
      Program program,
      NumberTypes types,
      KvDtype dtype,
      ProgramCompiler.Parts parts,
      int mostRows) {
    this.program = program;
    this.types = types;
    this.dtype = dtype;
    this.parts = parts;
    this.mostRows = mostRows;
  }

  /** Whether it is ready for so many rows. */
  boolean holds(int rows) {
    return rows <= capacity;
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
    var made = new Activations(program, types, dtype, wanted);
    activations = made;
    var fresh = Arena.ofShared();
    arena = fresh;
    var list = new LaunchList(parts.kernels(), made, fresh);
    works = ProgramCompiler.compile(program, parts, list, wanted);
    capacity = wanted;
    return made;
  }

  /** Gives up what it has, to be made again when it is next needed. */
  void forget() {
    capacity = 0;
    graphs.close();
    works = List.of();
    if (activations != null) {
      activations.close();
      activations = null;
    }
    if (arena != null) {
      arena.close();
      arena = null;
    }
  }

  /** Puts the program into the stream, for rows that it is ready for; as a graph where it can. */
  void replay(StepSize size, Handles.Stream stream) {
    graphs.run(size, this::run, stream);
  }

  /** Puts the program into the stream launch by launch, for rows that it is ready for. */
  void run(StepSize size, long stream) {
    for (var work : works) {
      work.run(size, stream);
    }
  }

  Value input() {
    return program.input();
  }

  Value output() {
    return program.output();
  }

  NumberTypes types() {
    return types;
  }

  @Override
  public void close() {
    forget();
  }
}
