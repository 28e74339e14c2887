package dev.millrace.compare.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.compare.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuReportTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private CpuReport report() throws IOException {
    var speed = new MachineSpeed();
    for (int look = 1; look <= 3; look++) {
      speed.add(
          JSON.readTree(
              """
              {"bytes_per_second": %d0e9,
               "peaks": [{"numbers": "bf16", "unit": "avx512", "operationsPerSecond": %de12}]}
              """
                  .formatted(look, look)));
    }
    var none =
        new Models(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            Optional.empty(),
            Optional.empty());
    var peers =
        new Peers(Optional.empty(), Optional.empty(), Optional.empty(), Path.of("/"), Path.of("/"));
    var settings =
        new CpuBenchSettings(
            Path.of("millrace"),
            none,
            peers,
            RowName.usual(),
            3,
            2,
            List.of(),
            300,
            folder,
            folder,
            List.of("--rows", "decode-q4,load", "--llama", ""));
    var more =
        new Row(
            "decode-q4",
            "decode",
            "tok/s",
            true,
            List.of(
                new Reading("Millrace", List.of(48.0, 50.0, 60.0)),
                new Reading("Millrace --fast", List.of(80.0))),
            List.of(new Reading("llama.cpp", List.of(40.0, 39.0, 41.0))),
            100,
            List.of("as it came"));
    var less =
        new Row(
            "load",
            "start",
            "s",
            false,
            List.of(new Reading("Millrace", List.of(2.0))),
            List.of(new Reading("llama-server", List.of(3.0))),
            0.5,
            List.of());
    var machine = new Machine(2, "a processor", 1L << 34, "an OS", "an architecture", "a JDK");
    return new CpuReport(
        settings, machine, speed, List.of(more, less), List.of("quality: needs it"));
  }

  @Test
  void tableHasRatiosAndSharesOfWhatTheMachineAllows() throws IOException {
    String text = report().text();
    assertTrue(
        text.contains(
            "| decode | tok/s | 50.0 (48.0 to 60.0) | llama.cpp 40.0 (39.0 to 41.0) | 1.25 | 100 | 50 % | 40 % |\n"),
        text);
    assertTrue(
        text.contains("| decode | tok/s | 80.0 (Millrace --fast) |  |  | 100 | 80 % |  |\n"), text);
    assertTrue(
        text.contains("| start | s | 2.00 | llama-server 3.00 | 1.50 | 0.500 | 25 % | 17 % |\n"),
        text);
    assertTrue(text.contains("| reading memory, GB/s | 20.0 | 10.0 | 30.0 |\n"), text);
    assertTrue(
        text.contains("| products of BF16 by avx512, GOP/s | 2,000 | 1,000 | 3,000 |\n"), text);
    assertTrue(text.contains("- decode-q4: as it came\n- Not measured: quality: needs it\n"), text);
  }

  @Test
  void ratioOfNothingToNothingIsLeftOut() throws IOException {
    var nothing = List.of(0.0);
    var row =
        new Row(
            "quality",
            "divergence",
            "millinats",
            false,
            List.of(new Reading("Millrace", nothing)),
            List.of(new Reading("llama.cpp", nothing)),
            Double.NaN,
            List.of());
    var report = report();
    var other =
        new CpuReport(report.settings(), report.machine(), report.speed(), List.of(row), List.of());
    assertTrue(
        other.text().contains("| divergence | millinats | 0.000 | llama.cpp 0.000 |  |  |  |  |\n"),
        other.text());
    other.write();
    var peer = JSON.readTree(folder.resolve("results.json").toFile()).at("/rows/0/peers/0");
    assertEquals("llama.cpp", peer.path("who").asText());
    assertTrue(peer.path("ratio").isMissingNode(), peer::toString);
  }

  @Test
  void filesSayTheSameToPrograms() throws IOException {
    report().write();
    var row = JSON.readTree(folder.resolve("results.json").toFile()).path("rows").path(1);
    assertEquals(1.5, row.path("peers").path(0).path("ratio").asDouble());
    assertEquals(0.25, row.path("ours").path(0).path("share_of_best").asDouble());
    assertEquals(
        "./millrace bench cpu --rows decode-q4,load --llama ''\n",
        Files.readString(folder.resolve("command.txt")));
    assertEquals(
        "a processor", JSON.readTree(folder.resolve("machine.json").toFile()).path("cpu").asText());
    assertTrue(Files.readString(folder.resolve("summary.md")).startsWith("# CPU speed, "));
  }

  @Test
  void laterLooksAtTheMachineCountForLaterRows() throws IOException {
    var speed = report().speed();
    assertEquals(2.5e10, speed.bandwidth(1).median());
    assertEquals(3e12, speed.peak("bf16").greatest());
    assertTrue(Double.isNaN(speed.peak("int8").greatest()));
  }
}
