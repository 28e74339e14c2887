package dev.millrace.cuda;

import dev.millrace.engine.device.Value;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** Launches in order, as they are compiled for one program's values. Entered threads only. */
final class LaunchList {
  static final int THREADS = 256;

  private final KernelModules kernels;
  private final Activations activations;
  private final Arena arena;
  private final List<Work> works = new ArrayList<>();

  /**
   * None yet.
   *
   * @param arena that the launches live in
   */
  LaunchList(KernelModules kernels, Activations activations, Arena arena) {
    this.kernels = kernels;
    this.activations = activations;
    this.arena = arena;
  }

  /** Adds a launch. */
  Launch launch(String symbol, int threads, int shared, int parameters) {
    var launch = make(symbol, threads, shared, parameters);
    works.add(launch);
    return launch;
  }

  /** A launch that is not added yet. */
  Launch make(String symbol, int threads, int shared, int parameters) {
    return kernels.launch(symbol, threads, shared, parameters, arena);
  }

  void add(Work work) {
    works.add(work);
  }

  /** What is added meanwhile, as one that is not added yet. */
  Work together(Runnable adding) {
    int mark = works.size();
    adding.run();
    var since = works.subList(mark, works.size());
    var added = List.copyOf(since);
    since.clear();
    return (size, stream) -> added.forEach(work -> work.run(size, stream));
  }

  /** Adds a launch over the numbers of rows, of the kernel for their type. */
  Launch elementwise(String name, Value out, int parameters) {
    int blocks = Math.ceilDiv(out.width(), THREADS);
    return launch(name + "_" + suffix(out), THREADS, 0, parameters)
        .grid(StepSize::rows, _ -> blocks);
  }

  /** Adds the launch of a gate, whose threads take eight numbers each. */
  Launch gate(String suffix, int width, Launch.Extent rows) {
    int blocks = Math.ceilDiv(width, 8 * THREADS);
    return launch("gate_" + suffix, THREADS, 0, 6).grid(rows, _ -> blocks);
  }

  /** A value's address and stride. */
  Launch value(Launch launch, Value value) {
    return launch.pointer(activations.address(value)).number(activations.stride(value));
  }

  /** The name of a value's type in the kernels' symbols. */
  String suffix(Value value) {
    return activations.types().of(value).suffix();
  }

  Activations activations() {
    return activations;
  }

  List<Work> works() {
    return List.copyOf(works);
  }
}
