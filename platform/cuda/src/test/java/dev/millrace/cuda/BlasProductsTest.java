package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jcuda.driver.CUgraph;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products through cuBLASLt, here the simulated one, and the choice of its algorithms. */
class BlasProductsTest {
  private static final int ALGORITHMS = 4;
  private static final int NOT_SUPPORTED = 15;

  @TempDir private Path folder;
  private final Handles.Stream stream = new Handles.Stream();
  private Gpu gpu;
  private BlasLibrary library;
  private BlasProducts products;

  @BeforeEach
  void open() throws Unavailable {
    SimulatedBlas.use();
    gpu = new Gpu(DriverLibrary.open());
    gpu.enter();
    CudaResult.check(JCudaDriver.cuStreamCreate(stream, 1), "cuStreamCreate");
    library = BlasLibrary.open(SimulatedBlas.search());
    products = BlasProducts.open(library, "a card", folder);
  }

  @AfterEach
  void close() {
    products.close();
    JCudaDriver.cuStreamDestroy(stream);
    gpu.close();
    SimulatedDriver.requireEmpty();
    assertEquals(0, SimulatedBlas.count("objects"), "objects of the library are left");
  }

  private void openAgain() throws Unavailable {
    products.close();
    products = BlasProducts.open(library, "a card", folder);
  }

  private static BlasShape shape(BlasType out, boolean bias, int outs, int ins, int gap) {
    return BlasShape.bfloat16(out, bias, outs, ins, ins + gap, outs + gap);
  }

  private static final BlasShape SMALL = shape(BlasType.BFLOAT16, true, 24, 40, 8);

  private BlasLinear linear(BlasShape shape) {
    return products.linear(shape).orElseThrow();
  }

  private void multiplyAndCheck(BlasLinear linear, int rows) {
    try (var problem = new BlasProblem(linear.shape(), rows, rows)) {
      problem.clear(stream.value());
      linear.multiply(problem.operands, rows, stream.value());
      problem.check(rows, stream.value());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 8, 8, 0",
    "3, 24, 40, 8",
    "8, 17, 72, 0",
    "33, 40, 16, 24",
    "65, 7, 104, 8",
    "129, 5, 24, 8"
  })
  void everyAlgorithmIsRight(int rows, int outs, int ins, int gap) throws Unavailable {
    for (int only = 0; only < ALGORITHMS; only++) {
      if (only == 3 && rows > 64) {
        continue; // it does not do so many
      }
      for (int other = 0; other < ALGORITHMS; other++) {
        SimulatedBlas.set("state-" + other, other == only ? 0 : NOT_SUPPORTED);
      }
      for (var type : List.of(BlasType.BFLOAT16, BlasType.FLOAT32)) {
        for (boolean bias : new boolean[] {false, true}) {
          openAgain();
          multiplyAndCheck(linear(shape(type, bias, outs, ins, gap)), rows);
        }
      }
      assertEquals(4, SimulatedBlas.count("runs-" + only));
    }
  }

  @ParameterizedTest
  @CsvSource({"ONE, 1", "ONE, 19", "ROWS, 1", "ROWS, 19"})
  void fp8IsScaled(BlasShape.Scales scales, int rows) {
    for (var type : List.of(BlasType.BFLOAT16, BlasType.FLOAT32)) {
      var shape = new BlasShape(BlasType.FP8_E4M3, type, scales, true, 32, 48, 64, 32);
      multiplyAndCheck(linear(shape), rows);
    }
  }

  @Test
  void whatTheLibraryCannotDoIsNotThere() {
    var odd =
        new BlasShape(
            BlasType.FP8_E4M3, BlasType.BFLOAT16, BlasShape.Scales.ONE, false, 32, 40, 40, 32);
    assertTrue(products.linear(odd).isEmpty());
    SimulatedBlas.set("version", 120_800);
    var scaled =
        new BlasShape(
            BlasType.FP8_E4M3, BlasType.BFLOAT16, BlasShape.Scales.ROWS, false, 32, 48, 48, 32);
    assertTrue(products.linear(scaled).isEmpty());
  }

  @Test
  void aLinearServesOtherRowsAndOtherAddresses() {
    var linear = linear(SMALL);
    long objects = SimulatedBlas.count("objects");
    for (int rows : new int[] {5, 1, 200, 2, 5, 65, 64}) {
      multiplyAndCheck(linear, rows);
    }
    assertEquals(objects, SimulatedBlas.count("objects"));
  }

  private void prepare(BlasLinear linear, int... rows) {
    try (var problem = new BlasProblem(linear.shape(), 1, 1)) {
      long[] weights = {problem.operands.weights()};
      products.prepare(List.of(new BlasProducts.Use(linear, weights, 64)), rows, stream);
    }
  }

  private static long runs(int algorithm) {
    return SimulatedBlas.count("runs-" + algorithm);
  }

  private static void slowBut(int fast) {
    for (int i = 0; i < ALGORITHMS; i++) {
      SimulatedBlas.set("milliseconds-" + i, i == fast ? 0 : 5);
    }
  }

  @Test
  void theFastestAlgorithmIsTaken() {
    for (int fast = 0; fast < ALGORITHMS; fast++) {
      slowBut(fast);
      var linear = linear(shape(BlasType.BFLOAT16, false, 8, 8 + 8 * fast, 0));
      prepare(linear, 4, 7);
      for (int rows : new int[] {4, 6}) {
        long before = runs(fast);
        multiplyAndCheck(linear, rows);
        assertEquals(before + 1, runs(fast));
      }
    }
  }

  @Test
  void aChoiceIsKeptForTheNextStart() throws Unavailable {
    slowBut(2);
    prepare(linear(SMALL), 1, 30);
    openAgain();
    slowBut(0);
    long before = SimulatedBlas.count("products");
    var linear = linear(SMALL);
    prepare(linear, 1, 30);
    assertEquals(before + 2, SimulatedBlas.count("products"), "each bucket runs once");
    long runs = runs(2);
    multiplyAndCheck(linear, 30);
    assertEquals(runs + 1, runs(2));
  }

  @Test
  void aChoiceIsForOneVersionAndCard() throws Unavailable {
    slowBut(2);
    prepare(linear(SMALL), 1);
    SimulatedBlas.set("version", 130_200);
    library = BlasLibrary.open(SimulatedBlas.search());
    openAgain();
    slowBut(0);
    prepare(linear(SMALL), 1);
    long runs = runs(0);
    multiplyAndCheck(linear(SMALL), 1);
    assertEquals(runs + 1, runs(0));
    assertEquals(List.of("a-card-13.1.0.txt", "a-card-13.2.0.txt"), files());
  }

  private List<String> files() {
    try (var files = Files.list(folder)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @CsvSource({"cut", "changed", "emptied", "foreign"})
  void aDamagedFileIsMadeAnew(String how) throws IOException, Unavailable {
    slowBut(2);
    prepare(linear(SMALL), 1);
    var file = folder.resolve(files().getFirst());
    String text = Files.readString(file);
    Files.writeString(
        file,
        switch (how) {
          case "cut" -> text.substring(0, text.length() / 2);
          case "changed" -> text.replaceFirst("0000000000", "0000000001");
          case "foreign" -> "{}\ncrc32 0\n";
          default -> "";
        });
    openAgain();
    slowBut(0);
    prepare(linear(SMALL), 1);
    long runs = runs(0);
    multiplyAndCheck(linear(SMALL), 1);
    assertEquals(runs + 1, runs(0));
    assertTrue(Files.readString(file).startsWith(SMALL.key()));
    assertEquals(1, files().size());
  }

  @Test
  void aFolderThatCannotBeWrittenCostsOnlyTime() throws Exception {
    products.close();
    var file = Files.createFile(folder.resolve("in-the-way"));
    products = BlasProducts.open(library, "a card", file);
    var linear = linear(SMALL);
    prepare(linear, 1);
    multiplyAndCheck(linear, 1);
  }

  @Test
  void anAlgorithmThatFailsInMeasurementIsNotTaken() {
    slowBut(1);
    SimulatedBlas.set("refusal-1", 13);
    SimulatedBlas.set("milliseconds-3", 1);
    var linear = linear(SMALL);
    prepare(linear, 2);
    long runs = runs(3);
    multiplyAndCheck(linear, 2);
    assertEquals(runs + 1, runs(3));
  }

  @Test
  void theNextAlgorithmStepsInWhenOneRefuses() {
    slowBut(2);
    var linear = linear(SMALL);
    prepare(linear, 8);
    SimulatedBlas.set("refusal-2", NOT_SUPPORTED);
    multiplyAndCheck(linear, 7);
    for (int i = 0; i < ALGORITHMS; i++) {
      SimulatedBlas.set("refusal-" + i, NOT_SUPPORTED);
    }
    var error = assertThrows(InferenceException.class, () -> multiplyAndCheck(linear, 7));
    assertEquals(ErrorCode.DEVICE_FAILURE, error.code());
    assertEquals(
        "cublasLtMatmul of 7 rows, BFLOAT16-BFLOAT16-NONE-BIAS-24x40-48-32:"
            + " CUBLAS_STATUS_NOT_SUPPORTED (15)",
        error.getMessage());
  }

  @Test
  void withoutMemoryForMeasurementsTheFirstProposalStays() {
    slowBut(2);
    var linear = linear(SMALL);
    try (var problem = new BlasProblem(linear.shape(), 1, 1)) {
      SimulatedDriver.set("fail-allocation=1");
      long[] weights = {problem.operands.weights()};
      products.prepare(List.of(new BlasProducts.Use(linear, weights, 64)), new int[] {1}, stream);
      SimulatedDriver.set("fail-allocation=0");
    }
    multiplyAndCheck(linear, 1);
    assertEquals(1, runs(0));
  }

  @Test
  void aCapturedProductIsReplayedWithWhatIsThereThen() {
    var linear = linear(SMALL);
    prepare(linear, 3, 9);
    var graph = new CUgraph();
    var executable = new Handles.Executable();
    try (var problem = new BlasProblem(SMALL, 9, 7)) {
      problem.clear(stream.value());
      DriverCalls.synchronize(stream.value());
      assertEquals(0, JCudaDriver.cuStreamBeginCapture(stream, 2));
      linear.multiply(problem.operands, 3, stream.value());
      assertEquals(0, JCudaDriver.cuStreamEndCapture(stream, graph));
      assertEquals(0, JCudaDriver.cuGraphInstantiate(executable, graph, 0));
      problem.check(0, stream.value());
      multiplyAndCheck(linear, 9); // other rows and addresses do not change what was captured
      for (int seed = 8; seed < 11; seed++) {
        problem.change(seed);
        problem.clear(stream.value());
        DriverCalls.launchGraph(executable.value(), stream.value());
        problem.check(3, stream.value());
      }
    }
    assertEquals(0, JCudaDriver.cuGraphExecDestroy(executable));
    assertEquals(0, JCudaDriver.cuGraphDestroy(graph));
  }

  @Test
  void aLibraryThatDoesNotStartIsUnavailable() {
    SimulatedBlas.set("create", 1);
    var error = assertThrows(Unavailable.class, () -> BlasProducts.open(library, "a card", folder));
    var message = String.valueOf(error.getMessage());
    assertTrue(message.contains("CUBLAS_STATUS_NOT_INITIALIZED"), message);
    assertTrue(message.endsWith("is the driver old for it?"), message);
  }

  @Test
  void aFreedMatrixBreaksTheContextLikeOnACard() {
    var linear = linear(SMALL);
    var problem = new BlasProblem(SMALL, 2, 1);
    problem.close();
    linear.multiply(problem.operands, 2, stream.value());
    var error =
        assertThrows(InferenceException.class, () -> DriverCalls.synchronize(stream.value()));
    assertEquals(ErrorCode.DEVICE_LOST, error.code());
    SimulatedDriver.use(); // mends it
  }
}
