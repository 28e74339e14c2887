package dev.millrace.server.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.server.PlainHub;
import dev.millrace.server.TestServer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import net.sourceforge.argparse4j.ArgumentParsers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsCommandTest {
  @TempDir Path cache;
  private PlainHub hub;
  private final StringWriter out = new StringWriter();
  private final StringWriter pulls = new StringWriter();

  @BeforeEach
  void start() throws Exception {
    hub = new PlainHub(TestServer.modelFolder());
  }

  @AfterEach
  void close() {
    hub.close();
  }

  /** What {@code models} with these arguments writes. */
  private String models(String... arguments) throws Exception {
    out.getBuffer().setLength(0);
    var writer = new PrintWriter(out, true);
    var command =
        new ModelsCommand(
            writer, new PlainPull(new PrintWriter(pulls, true)), hub.environment(cache));
    var parser = ArgumentParsers.newFor("millrace").build();
    command.configure(parser.addSubparsers().addParser("models"));
    var all = new String[arguments.length + 1];
    all[0] = "models";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    command.run(null, parser.parseArgs(all));
    return out.toString();
  }

  private JsonNode json(String... arguments) throws Exception {
    return new ObjectMapper().readTree(models(arguments));
  }

  @Test
  void pulledModelIsListedVerifiedAndRemoved() throws Exception {
    assertTrue(models("list").startsWith("no models in "), out.toString());
    String path = models("pull", "org/tiny").strip();
    assertTrue(path.endsWith(PlainHub.COMMIT), path);
    assertTrue(pulls.toString().contains("pulled org/tiny: "), pulls.toString());
    String list = models("list");
    assertTrue(
        Pattern.compile("org/tiny +main +0123456789ab +3\\d\\d\\.\\d kB +6 +20\\S+ \\S+ +yes")
            .matcher(list)
            .find(),
        list);
    assertTrue(models("verify").contains("good     model.safetensors"), out.toString());
    assertTrue(models("remove", "org/tiny").startsWith("removed org/tiny, 3"), out.toString());
    assertTrue(models("list").startsWith("no models in "));
  }

  @Test
  void programsReadJson() throws Exception {
    var pulled = json("pull", "org/tiny", "--json");
    assertTrue(Files.exists(Path.of(pulled.get("path").asText(), "config.json")));
    var model = json("list", "--json").at("/models/0");
    assertEquals("org/tiny", model.get("model").asText());
    assertEquals(PlainHub.COMMIT, model.get("commit").asText());
    assertEquals("main", model.at("/revisions/0").asText());
    assertTrue(model.get("servable").asBoolean());
    assertEquals(0, json("verify", "--json").get("wrong").asInt());
    var removed = json("remove", "--json", "org/tiny:main");
    assertEquals(model.get("bytes").asLong(), removed.get("freed_bytes").asLong());
  }

  @Test
  void damageIsAFailureThatTellsTheCure() throws Exception {
    Path model = Path.of(models("pull", "org/tiny").strip());
    Files.write(model.resolve("model.safetensors").toRealPath(), new byte[9]);
    var e = assertThrows(InferenceException.class, () -> models("verify", "org/tiny"));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, e.code());
    assertTrue(out.toString().contains("damaged  model.safetensors"), out.toString());
    assertTrue(String.valueOf(e.getMessage()).contains("1 file is damaged"), e::toString);
    assertThrows(InferenceException.class, () -> models("verify", "--drop"));
    models("pull", "org/tiny");
    assertTrue(models("verify", "org/tiny").contains("good     model.safetensors"));
  }

  @Test
  void wrongNamesAreRefused() {
    var e = assertThrows(InferenceException.class, () -> models("pull", "tiny"));
    assertTrue(String.valueOf(e.getMessage()).contains("ORG/NAME:REVISION"), e::toString);
    assertThrows(InferenceException.class, () -> models("verify", "org/other"));
    assertThrows(InferenceException.class, () -> models("remove", "org/other"));
  }
}
