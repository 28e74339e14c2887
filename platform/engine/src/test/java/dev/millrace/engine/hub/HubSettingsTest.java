package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubSettingsTest {
  private static final Path HOME = Path.of(System.getProperty("user.home"));

  @Test
  void defaultsAreThoseOfPython() {
    var settings = HubSettings.of(Map.of("HF_TOKEN_PATH", "/no/such/file"));
    assertEquals(URI.create("https://huggingface.co"), settings.endpoint());
    assertEquals(HOME.resolve(".cache/huggingface/hub"), settings.cache());
    assertEquals("", settings.token());
    assertFalse(settings.offline());
    assertEquals(Duration.ofSeconds(10), settings.answerTimeout());
  }

  @Test
  void foldersAreFoundAsPythonFindsThem() {
    assertEquals(Path.of("/x/huggingface/hub"), cache("XDG_CACHE_HOME", "/x"));
    assertEquals(Path.of("/h/hub"), cache("HF_HOME", "/h", "XDG_CACHE_HOME", "/x"));
    assertEquals(Path.of("/old"), cache("HUGGINGFACE_HUB_CACHE", "/old", "HF_HOME", "/h"));
    assertEquals(Path.of("/c"), cache("HF_HUB_CACHE", "/c", "HUGGINGFACE_HUB_CACHE", "/old"));
    assertEquals(HOME.resolve("models"), cache("HF_HUB_CACHE", "~/models"));
  }

  private static Path cache(String... variables) {
    return HubSettings.of(
            variables.length == 2
                ? Map.of(variables[0], variables[1])
                : Map.of(variables[0], variables[1], variables[2], variables[3]))
        .cache();
  }

  @Test
  void tokenIsThatOfTheVariableOrOfTheFile(@TempDir Path home) throws IOException {
    Files.writeString(home.resolve("token"), "hf_file\n");
    assertEquals("hf_file", HubSettings.of(Map.of("HF_HOME", home.toString())).token());
    assertEquals(
        "hf_env",
        HubSettings.of(Map.of("HF_HOME", home.toString(), "HF_TOKEN", " hf_env ")).token());
    Path other = Files.writeString(home.resolve("other"), "hf_other");
    assertEquals(
        "hf_other",
        HubSettings.of(Map.of("HF_HOME", home.toString(), "HF_TOKEN_PATH", other.toString()))
            .token());
  }

  @Test
  void tokenIsNotShown() {
    assertFalse(HubSettings.of(Map.of("HF_TOKEN", "hf_secret")).toString().contains("secret"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "true", "YES", "on"})
  void offlineIsSaidInFourWords(String word) {
    assertTrue(HubSettings.of(Map.of("HF_HUB_OFFLINE", word)).offline());
    assertTrue(HubSettings.of(Map.of("TRANSFORMERS_OFFLINE", word)).offline());
    assertFalse(HubSettings.of(Map.of("HF_HUB_OFFLINE", "0")).offline());
  }

  @Test
  void endpointMayHaveAPathAndASlash() {
    assertEquals(
        URI.create("http://mirror:8080/hf"),
        HubSettings.of(Map.of("HF_ENDPOINT", "http://mirror:8080/hf/")).endpoint());
  }

  @ParameterizedTest
  @ValueSource(strings = {"huggingface.co", "ftp://x", "http:/x", "http://a b", "https://x?y=z"})
  void endpointThatIsNoneIsNamed(String endpoint) {
    Models.fails(
        ErrorCode.INVALID_CONFIGURATION,
        () -> HubSettings.of(Map.of("HF_ENDPOINT", endpoint)),
        "HF_ENDPOINT",
        endpoint);
  }

  @Test
  void otherVariablesThatAreWrongAreNamed() {
    Models.fails(
        ErrorCode.INVALID_CONFIGURATION,
        () -> HubSettings.of(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "soon")),
        "HF_HUB_DOWNLOAD_TIMEOUT",
        "soon");
    Models.fails(
        ErrorCode.INVALID_CONFIGURATION, () -> HubSettings.of(Map.of("HF_TOKEN", "a\nb")), "token");
  }
}
