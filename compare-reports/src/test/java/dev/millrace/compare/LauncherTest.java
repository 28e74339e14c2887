package dev.millrace.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the launcher in a tree of its own, with a JDK and a Maven that only say what they got. */
class LauncherTest {
  private static final List<String> TOOLS =
      List.of(
          "sh",
          "dirname",
          "readlink",
          "grep",
          "find",
          "head",
          "mkdir",
          "rmdir",
          "rm",
          "mv",
          "date",
          "tail",
          "flock",
          "sed",
          "cat",
          "tee",
          "awk",
          "mkfifo",
          "sleep");

  @TempDir Path folder;

  private record Ended(int status, String out, String errors) {}

  @BeforeEach
  void makeTree() throws IOException {
    var original = Path.of(System.getProperty("millrace.root"), "millrace");
    // the machine's own JDKs must not be found
    String script = Files.readString(original).replace("/usr/lib/jvm/", folder + "/jvm/");
    script =
        script.replace("/opt/java/", folder + "/none/").replace("/Library/", folder + "/none/");
    program("tree/millrace", script.substring(script.indexOf('\n') + 1));
    write("tree/pom.xml", "<project>\n  <version>1.2.3</version>\n</project>\n");
    write("tree/platform/spi/src/Some.java", "");
    program("bin/mvn", MAVEN);
    makeTools();
    jdk("home", "25.0.3");
  }

  /** Counts its runs, can be told to fail or to be slow, and leaves what the real one leaves. */
  private static final String MAVEN =
      """
      echo "$JAVA_HOME $*" >>"$TEST_FOLDER/maven-runs"
      echo "[INFO] noise"
      echo "[INFO] BUILD DONE"
      if [ -e "$TEST_FOLDER/slow" ]; then sleep 1; fi
      if [ -e "$TEST_FOLDER/fail" ]; then echo "[ERROR] no good"; exit 7; fi
      mkdir -p target/millrace
      """;

  /** Records a start if asked to, unless told to fail; else says what it got. */
  private static final String JAVA =
      """
      case "$*" in
        *-XX:AOTCacheOutput=*)
          if [ -e "$TEST_FOLDER/no-cache" ]; then exit 6; fi
          echo "$*" >"$TEST_FOLDER/rehearsal"
          output="${*#*-XX:AOTCacheOutput=}"
          : >"${output%% *}"
          exit 0 ;;
        *Shenandoah*-version)
          exit "$(cat "$TEST_FOLDER/brief-pauses" 2>/dev/null || echo 1)" ;;
      esac
      for a; do echo "[$a]"; done; exit 5
      """;

  private void jdk(String name, String version) throws IOException {
    program(name + "/bin/java", JAVA);
    program(name + "/bin/javac", "");
    write(name + "/release", "JAVA_VERSION=\"" + version + "\"\n");
  }

  private void write(String name, String text) throws IOException {
    var file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void program(String name, String body) throws IOException {
    write(name, "#!/bin/sh\n" + body);
    assertTrue(folder.resolve(name).toFile().setExecutable(true));
  }

  private ProcessBuilder launcher(String... arguments) {
    var command = new ArrayList<>(List.of(folder.resolve("tree/millrace").toString()));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command);
    var environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("MILLRACE_") || name.startsWith("XDG_"));
    // the system's tools, without a java or mvn that may lie among them
    environment.put("PATH", folder.resolve("bin") + ":" + folder.resolve("tools"));
    environment.put("HOME", folder.toString());
    environment.put("JAVA_HOME", folder.resolve("home").toString());
    environment.put("TEST_FOLDER", folder.toString());
    return builder;
  }

  /** Makes a folder with just the tools that the launcher uses, taken from the system. */
  private void makeTools() throws IOException {
    for (String tool : TOOLS) {
      for (String place : List.of("/bin/", "/usr/bin/")) {
        if (Files.exists(Path.of(place + tool))) {
          program("tools/" + tool, "exec " + place + tool + " \"$@\"\n");
        }
      }
    }
  }

  private Ended end(ProcessBuilder builder) throws IOException, InterruptedException {
    var out = Files.createTempFile(folder, "out", "");
    var errors = Files.createTempFile(folder, "errors", "");
    builder.redirectOutput(out.toFile()).redirectError(errors.toFile());
    var process = builder.start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Ended(process.exitValue(), Files.readString(out), Files.readString(errors));
  }

  private List<String> mavenRuns() throws IOException {
    var file = folder.resolve("maven-runs");
    return Files.exists(file) ? Files.readAllLines(file, StandardCharsets.UTF_8) : List.of();
  }

  @Test
  void serveBuildsOnceAndBecomesTheServer() throws Exception {
    var first = end(launcher("serve", "--model", "a b"));
    assertEquals(5, first.status(), first.errors());
    assertTrue(first.out().endsWith("millrace-server.jar]\n[serve]\n[--model]\n[a b]\n"));
    assertTrue(first.out().contains("[-Xmx512m]"));
    assertTrue(first.out().contains("[-Dmillrace.root=" + folder.resolve("tree") + "]"));
    assertTrue(first.errors().contains("building (first use, some minutes) ... done in "));
    assertEquals(1, first.errors().lines().count());

    var second = end(launcher("serve"));
    assertEquals("", second.errors());
    assertEquals(1, mavenRuns().size());
    assertTrue(mavenRuns().getFirst().startsWith(folder.resolve("home") + " -B "));
  }

  @Test
  void aNewerSourceIsBuiltAgain() throws Exception {
    var _ = end(launcher("serve"));
    Files.setLastModifiedTime(
        folder.resolve("tree/platform/spi/src/Some.java"),
        FileTime.from(Instant.now().plusSeconds(5)));
    assertTrue(end(launcher("serve")).errors().contains("building (sources have changed)"));
    assertEquals(2, mavenRuns().size());
  }

  @Test
  void aStartIsRecordedAfterABuildAndUsed() throws Exception {
    var first = end(launcher("serve"));
    var cache = folder.resolve("tree/target/millrace/start.aot");
    assertTrue(first.out().contains("[-XX:AOTCache=" + cache + "]\n"), first.out());
    var rehearsal = Files.readString(folder.resolve("rehearsal"));
    assertTrue(
        rehearsal.endsWith("millrace-server.jar dev.millrace.server.Rehearsal\n"), rehearsal);
    Files.delete(folder.resolve("rehearsal"));
    assertTrue(end(launcher("serve")).out().contains("[-XX:AOTCache="));
    assertFalse(Files.exists(folder.resolve("rehearsal")));
  }

  @Test
  void withoutARecordingItStartsAllTheSame() throws Exception {
    write("no-cache", "");
    var ended = end(launcher("serve"));
    assertTrue(ended.errors().contains("made no cache for faster starts"), ended.errors());
    assertFalse(ended.out().contains("AOT"), ended.out());
    assertEquals(5, ended.status());
  }

  @Test
  void optionsOfTheJvmCanBeGiven() throws Exception {
    var builder = launcher("serve");
    builder.environment().put("MILLRACE_JAVA_OPTS", "-Xmx4g -Da=b");
    var ended = end(builder);
    assertFalse(ended.out().contains("512m"));
    assertTrue(ended.out().contains("[-Xmx4g]\n[-Da=b]\n[-jar]"));
    assertTrue(ended.out().contains("[-XX:+UseG1GC]"), ended.out());
  }

  @Test
  void aCollectorOfBriefPausesIsTakenWhereTheJdkHasIt() throws Exception {
    write("brief-pauses", "0");
    var brief = "[-XX:+UseShenandoahGC]\n[-XX:ShenandoahGCMode=generational]";
    var ended = end(launcher("serve"));
    assertTrue(ended.out().contains(brief), ended.out());
    assertTrue(Files.readString(folder.resolve("rehearsal")).contains("Shenandoah"));
    assertTrue(end(launcher("quantize")).out().contains("[-XX:+UseG1GC]"));
    jdk("other", "25.0.3");
    var other = launcher("serve");
    other.environment().put("JAVA_HOME", folder.resolve("other").toString());
    other.environment().put("MILLRACE_BUILD", "skip");
    assertTrue(end(other).out().contains("[-XX:+UseG1GC]"));
  }

  @Test
  void anotherCollectorTakesThePlaceOfOurs() throws Exception {
    var builder = launcher("serve");
    builder.environment().put("MILLRACE_JAVA_OPTS", "-XX:+UseZGC -Da=b");
    var ended = end(builder);
    assertFalse(ended.out().contains("UseG1GC"), ended.out());
    assertTrue(ended.out().contains("[-XX:+UseZGC]\n[-Da=b]\n[-jar]"), ended.out());
    assertTrue(Files.readString(folder.resolve("rehearsal")).contains("-XX:+UseZGC "));
    var measuring = launcher("bench", "cpu");
    measuring.environment().put("MILLRACE_JAVA_OPTS", "-XX:+UseZGC");
    assertFalse(end(measuring).out().contains("UseSerialGC"));
  }

  @Test
  void aFailedBuildShowsItsLogAndKeepsItsStatus() throws Exception {
    write("fail", "");
    var ended = end(launcher("serve"));
    assertEquals(7, ended.status());
    assertTrue(ended.errors().contains("[ERROR] no good"), ended.errors());
    assertTrue(ended.errors().contains("target/build.log"));
    assertEquals("", ended.out());
  }

  @Test
  void anotherJavaHomeIsPassedOver() throws Exception {
    jdk("home", "17.0.12");
    jdk("jvm/some-25", "25");
    assertEquals(5, end(launcher("serve")).status());
    assertTrue(mavenRuns().getFirst().startsWith(folder.resolve("jvm/some-25") + " "));
  }

  @Test
  void aJdkOnThePathIsFound() throws Exception {
    jdk("elsewhere", "25.0.1");
    var builder = launcher("serve");
    builder.environment().remove("JAVA_HOME");
    builder.environment().merge("PATH", folder + "/elsewhere/bin", (old, own) -> own + ":" + old);
    assertEquals(5, end(builder).status());
    assertTrue(mavenRuns().getFirst().startsWith(folder.resolve("elsewhere") + " "));
  }

  @Test
  void withoutAJdkItSaysWhatToInstall() throws Exception {
    jdk("home", "250.1");
    jdk("jvm/old", "21.0.2");
    var ended = end(launcher("serve"));
    assertEquals(69, ended.status());
    assertTrue(ended.errors().contains("apt-get install temurin-25-jdk"), ended.errors());
    assertEquals(List.of(), mavenRuns());
  }

  @Test
  void withoutMavenItSaysWhatToInstall() throws Exception {
    Files.delete(folder.resolve("bin/mvn"));
    var ended = end(launcher("serve"));
    assertEquals(69, ended.status());
    assertTrue(ended.errors().contains("apt-get install maven"), ended.errors());
  }

  @Test
  void twoAtOnceBuildOnce() throws Exception {
    write("slow", "");
    var discarded = ProcessBuilder.Redirect.DISCARD;
    var one = launcher("serve").redirectOutput(discarded).redirectError(discarded).start();
    var two = end(launcher("bench"));
    assertTrue(one.waitFor(60, TimeUnit.SECONDS));
    assertEquals(5, one.exitValue());
    assertEquals(5, two.status(), two.errors());
    assertTrue(two.out().endsWith("[bench]\n"));
    assertEquals(1, mavenRuns().size());
  }

  @Test
  void buildingCanBeForbidden() throws Exception {
    var builder = launcher("serve");
    builder.environment().put("MILLRACE_BUILD", "skip");
    assertEquals(69, end(builder).status());
    Files.createDirectories(folder.resolve("tree/target/millrace"));
    assertEquals(5, end(builder).status());
    assertEquals(List.of(), mavenRuns());
  }

  @Test
  void compareAndItsBenchStartTheirOwnJar() throws Exception {
    var ended = end(launcher("compare", "--quick"));
    String jar = "compare/millrace-compare.jar]\n";
    assertTrue(ended.out().endsWith(jar + "[dev.millrace.compare.Main]\n[--quick]\n"), ended.out());
    var measured = end(launcher("bench", "cpu", "--rows", "load"));
    assertTrue(
        measured
            .out()
            .endsWith(jar + "[dev.millrace.compare.cpu.CpuBenchCommand]\n[--rows]\n[load]\n"),
        measured.out());
  }

  @Test
  void formatsAreJudgedByTheServersJar() throws Exception {
    var judged = end(launcher("compare", "--quality", "int8"));
    assertTrue(judged.out().contains("[-jar]\n["), judged.out());
    assertTrue(judged.out().endsWith("millrace-server.jar]\n[quality]\n[int8]\n"), judged.out());
  }

  @Test
  void quantizingGetsHalfOfTheMachinesMemory() throws Exception {
    var ended = end(launcher("quantize", "model", "--to", "gptq"));
    assertTrue(ended.out().contains("[-XX:MaxRAMPercentage=50]\n"), ended.out());
    assertTrue(ended.out().endsWith("[quantize]\n[model]\n[--to]\n[gptq]\n"), ended.out());
  }

  @Test
  void testRunsVerifyWithoutTheLanesThatNeedMore() throws Exception {
    var ended = end(launcher("test", "-pl", "loadtest"));
    assertEquals(0, ended.status(), ended.errors());
    assertEquals("[INFO] BUILD DONE\n", ended.out());
    String run = mavenRuns().getFirst();
    assertTrue(run.contains(" verify "), run);
    assertTrue(run.endsWith(" -DexcludedGroups=conformance,clients,emulated -pl loadtest"), run);
  }

  @Test
  void failedTestsKeepTheirStatus() throws Exception {
    write("fail", "");
    var ended = end(launcher("test"));
    assertEquals(7, ended.status());
    assertTrue(ended.out().contains("[ERROR] no good"), ended.out());
  }

  @Test
  void testAllChecksStyleFirstAndHandsOverTheOracles() throws Exception {
    assertEquals(1, end(launcher("test", "--all")).status());
    assertEquals(List.of(), mavenRuns());
    Files.createDirectories(folder.resolve("shared/oracles"));
    assertEquals(0, end(launcher("test", "--all")).status());
    var runs = mavenRuns();
    assertTrue(runs.getFirst().endsWith(" spotless:check checkstyle:check"), runs.getFirst());
    String run = runs.get(1);
    assertTrue(run.endsWith("-Dmillrace.oracles=" + folder.resolve("shared/oracles")), run);
    assertFalse(run.contains("excludedGroups"), run);
  }

  @Test
  void itTellsHelpVersionAndWrongCommands() throws Exception {
    assertEquals("millrace 1.2.3\n", end(launcher("--version")).out());
    assertTrue(end(launcher("--help")).out().contains("./millrace COMMAND"));
    assertEquals(64, end(launcher("sevre")).status());
  }
}
