package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** cuBLASLt is found where people have it, and what is wrong with it is said. */
class BlasLibraryTest {
  private static final String NAME = "libcublasLt.so.13";

  @TempDir private Path root;

  @BeforeEach
  void use() {
    SimulatedBlas.use();
  }

  private String problem(BlasSearch search) {
    var message = assertThrows(Unavailable.class, () -> BlasLibrary.open(search)).getMessage();
    return String.valueOf(message);
  }

  private BlasSearch folder(Path folder) {
    return new BlasSearch(BlasSearch.NAMES, folder.toString(), Map.of(), root);
  }

  private Path file(String name, byte[] content) throws IOException {
    var file = root.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, content);
  }

  @Test
  void theFolderOfTheSettingIsTheOnlyOne() throws Unavailable {
    var library = BlasLibrary.open(SimulatedBlas.search());
    assertEquals(SimulatedBlas.LIBRARY.toString(), library.name());
    assertEquals("13.1.0", library.version());
    assertEquals(
        "no cuBLASLt: neither of [libcublasLt.so.13, libcublasLt.so.12] is in "
            + root
            + ", which -Dmillrace.cublaslt or MILLRACE_CUBLASLT names",
        problem(folder(root)));
  }

  @Test
  void whereItIsNowhereTheReasonSaysWhatToInstall() {
    var names = List.of("libcublasLt.so.0"); // the loader knows the simulated one by its name
    String problem = problem(new BlasSearch(names, null, Map.of(), root));
    assertTrue(problem.startsWith("no cuBLASLt: libcublasLt.so.0: cannot open"), problem);
    assertTrue(problem.endsWith("with -Dmillrace.cublaslt=FOLDER"), problem);
    assertTrue(problem.contains("install the CUDA toolkit 13"), problem);
  }

  @Test
  void toolkitsAndPythonsAreSearchedAfterTheLoader() throws IOException {
    var none = new byte[0];
    var toolkit = file("usr/local/cuda-13.0/targets/x86_64-linux/lib/" + NAME, none);
    var old = file("usr/local/cuda-12.8/lib64/libcublasLt.so.12", none);
    var pip = file("venv/lib/python3.12/site-packages/nvidia/cu13/lib/" + NAME, none);
    var twelve =
        file("base/lib/python3.11/site-packages/nvidia/cublas/lib/libcublasLt.so.12", none);
    var python = file("base/bin/python3.11", none);
    Files.setPosixFilePermissions(python, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.createDirectories(root.resolve("venv/bin"));
    Files.createSymbolicLink(root.resolve("venv/bin/python3"), python);
    var search =
        new BlasSearch(
            BlasSearch.NAMES, null, Map.of("PATH", root.resolve("venv/bin") + ":/nowhere"), root);
    var expected =
        List.of(NAME, "libcublasLt.so.12", toolkit + "", old + "", pip + "", twelve + "");
    assertEquals(expected, search.candidates());
  }

  @Test
  void whatIsNoLibraryIsNamedWithTheLoadersReason() throws IOException {
    var file = file(NAME, "no library".getBytes(StandardCharsets.UTF_8));
    String problem = problem(folder(root));
    assertTrue(problem.startsWith("no cuBLASLt: " + file + ": "), problem);
    assertTrue(problem.contains("file too short") || problem.contains("ELF"), problem);
  }

  @Test
  void aMissingCallIsNamed() throws IOException {
    // the name of a symbol in the file is changed, as if the library had none of that name
    byte[] library = Files.readAllBytes(SimulatedBlas.LIBRARY);
    var text = new String(library, StandardCharsets.ISO_8859_1);
    var without = text.replace("cublasLtMatmulAlgoCheck\0", "cublasLtMatmulAlgoCheKK\0");
    var file = file(NAME, without.getBytes(StandardCharsets.ISO_8859_1));
    String problem = problem(folder(root));
    assertTrue(problem.contains(file + " lacks cublasLtMatmulAlgoCheck;"), problem);
  }

  @Test
  void anOldOneIsRefused() {
    SimulatedBlas.set("version", 110_805);
    String problem = problem(SimulatedBlas.search());
    assertTrue(problem.contains("is version 11.8.5, at least 12.0 is needed"), problem);
  }
}
