package dev.millrace.compare.cpu;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * What all rows share: the settings, the programs they start, and a look at the machine's own speed
 * after each turn.
 */
final class Bench implements AutoCloseable {
  /** Why a row has no figures of a peer. */
  static final String NO_PEER = "no peer: ";

  private final CpuBenchSettings settings;
  private final PrintWriter told;
  private final long began = System.nanoTime();
  private final MachineSpeed speed = new MachineSpeed();
  private final LineProgram machine;
  private int logs;

  Bench(CpuBenchSettings settings, PrintWriter told) {
    this.settings = settings;
    this.told = told;
    tell("this machine");
    this.machine = LineProgram.start("bench", ownCommand(List.of()), log("machine"));
    look();
  }

  CpuBenchSettings settings() {
    return settings;
  }

  MachineSpeed speed() {
    return speed;
  }

  /** What was measured, by one program in one turn. */
  record Turn(String who, DoubleSupplier measure) {}

  /** Lets programs measure in turns, A B A B, and looks at the machine after each round. */
  List<Reading> turns(String what, List<Turn> all) {
    return turns(what, all, settings.turns());
  }

  /** As many turns as said. */
  List<Reading> turns(String what, List<Turn> all, int count) {
    var values = new ArrayList<List<Double>>();
    all.forEach(_ -> values.add(new ArrayList<>()));
    for (int turn = 1; turn <= count; turn++) {
      for (int i = 0; i < all.size(); i++) {
        tell("%s, turn %d of %d, %s".formatted(what, turn, count, all.get(i).who()));
        values.get(i).add(all.get(i).measure().getAsDouble());
      }
      look();
    }
    var readings = new ArrayList<Reading>();
    for (int i = 0; i < all.size(); i++) {
      readings.add(new Reading(all.get(i).who(), values.get(i)));
    }
    return readings;
  }

  private void look() {
    speed.add(machine.ask("machine"));
  }

  /** What the machine's memory and arithmetic allow, by the looks since one. */
  Floor floor(Work work, double weightBytes, String numbers, int firstLook) {
    return new Floor(
        work, weightBytes, speed.bandwidth(firstLook).median(), speed.peak(numbers).greatest());
  }

  /** Our own program that measures a model when told to. */
  LineProgram own(Path model, List<String> further) {
    var arguments = new ArrayList<>(List.of("--model", model.toString()));
    arguments.addAll(further);
    tell("loading " + Models.label(model));
    return LineProgram.start("bench", ownCommand(arguments), log("bench"));
  }

  /** The command line of our own program; without a model it has the demo model. */
  List<String> ownCommand(List<String> further) {
    var command = new ArrayList<>(List.of(settings.launcher().toString(), "bench", "--turns"));
    command.addAll(List.of("--threads", threads()));
    command.addAll(further);
    return command;
  }

  /** The same for PyTorch; a Python must have been given. */
  LineProgram torch(Path model) {
    var command = new ArrayList<>(settings.peers().python().orElseThrow());
    command.addAll(List.of("-c", script(), settings.peers().seen(model), threads()));
    tell("loading " + Models.label(model) + " into PyTorch");
    return LineProgram.start("PyTorch", command, log("torch"));
  }

  private static String script() {
    try (InputStream in = Bench.class.getResourceAsStream("torch_bench.py")) {
      if (in == null) {
        throw new IllegalStateException("torch_bench.py is missing from this jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a program of llama.cpp; its prefix must have been given. */
  Peers.Printed llama(String program, String... arguments) {
    return Peers.run(settings.peers().llama(program, arguments), log(program));
  }

  String threads() {
    return Integer.toString(settings.threads());
  }

  /** A fresh file for a program's output. */
  Path log(String name) {
    return settings.out().resolve("logs").resolve("%02d-%s.log".formatted(++logs, name));
  }

  /** Tells who waits what is being done. */
  void tell(String what) {
    told.println("bench: %3d s  %s".formatted((System.nanoTime() - began) / 1_000_000_000, what));
    told.flush();
  }

  /** What a program said of the model it has loaded. */
  static Work work(LineProgram program) {
    JsonNode first = program.first();
    return Work.of(first.path("work"));
  }

  @Override
  public void close() {
    machine.close();
  }
}
