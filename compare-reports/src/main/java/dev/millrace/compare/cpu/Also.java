package dev.millrace.compare.cpu;

import dev.millrace.compare.cpu.Bench.Turn;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Our own program once more, with further options; or nothing, if there are none. */
record Also(String name, Optional<LineProgram> program) implements AutoCloseable {
  static Also nothing() {
    return new Also("", Optional.empty());
  }

  static Also of(Bench bench, Path model) {
    var options = bench.settings().also();
    return options.isEmpty()
        ? nothing()
        : new Also(bench.settings().alsoName(), Optional.of(bench.own(model, options)));
  }

  /** Warms it up and gives it a turn. */
  void add(List<Turn> turns, String line) {
    program.ifPresent(one -> {
      one.rate(line);
      turns.add(new Turn(name, () -> one.rate(line)));
    });
  }

  @Override
  public void close() {
    program.ifPresent(LineProgram::close);
  }
}
