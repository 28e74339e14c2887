package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertFails;
import static dev.millrace.engine.load.Faults.assertInvalid;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.load.RecordingTarget.Bound;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointWeightsTest {
  private static final List<QuantizationPlugin> PLAIN = List.of(new PlainPlugin("plain", ""));

  @TempDir Path directory;
  private final SafetensorsWriter file = new SafetensorsWriter();
  private final RecordingTarget target = new RecordingTarget();

  @Test
  void aLinearIsFoundBelowItsPrefixWithItsBias() throws IOException {
    add("m.layers.0.q.weight", 2, 3).add("m.layers.0.q.bias", DType.F32, new float[] {8, 9}, 2);
    try (var source = open()) {
      var weights = weights(source, DtypeChoice.AUTO);
      Bound q = (Bound) weights.at("m").at("layers.0").linear("q", 2, 3, Split.COLUMN);
      assertEquals("m.layers.0.q", q.name());
      assertArrayEquals(new float[] {8, 9}, q.bias());
      assertArrayEquals(new float[] {4, 5, 6}, q.row(0, 1));
      assertTrue(weights.has("m.layers.0.q.weight"));
      assertTrue(weights.at("m").has("layers.0.q.bias"));
      assertEquals(Set.of(), weights.unused());
    }
  }

  @Test
  void mergedPartsStayApartAndTheirBiasesJoin() throws IOException {
    add("a.q.weight", 2, 3).add("a.k.weight", DType.BF16, new float[3], 1, 3);
    add("a.v.weight", 1, 3).add("a.v.bias", DType.F16, new float[] {7}, 1);
    try (var source = open()) {
      var weights = weights(source, DtypeChoice.AUTO).at("a");
      List<Part> parts = List.of(new Part("q", 2), new Part("k", 1), new Part("v", 1));
      Bound qkv = (Bound) weights.merged(parts, 3, Split.COLUMN);
      assertEquals("a.q+k+v", qkv.name());
      assertEquals(
          List.of(new DeviceFormat.F32(), new DeviceFormat.Bf16(), new DeviceFormat.F32()),
          qkv.parts().stream().map(QuantizedMatrix::format).toList());
      assertArrayEquals(new float[] {0, 0, 0, 7}, qkv.bias());
      Bound alone = (Bound) weights.merged(parts.subList(0, 2), 3, Split.COLUMN);
      assertNull(alone.bias());
    }
  }

  @Test
  void aTiedEmbeddingIsReadOnce() throws IOException {
    add("m.embed.weight", 4, 2);
    try (var source = open()) {
      var weights = weights(source, DtypeChoice.AUTO);
      var table = weights.at("m").embedding("embed", 4, 2);
      assertSame(table, weights.embedding("m.embed", 4, 2));
      assertSame(table, weights.linear("m.embed", 4, 2, Split.NONE));
      assertEquals(List.of("m.embed"), target.names());
      assertFails(
          ErrorCode.BAD_SHAPE,
          () -> weights.linear("m.embed", 5, 2, Split.NONE),
          "m.embed is [4, 2], the model wants [5, 2]");
    }
  }

  @Test
  void tensorsNobodyReadAreNamed() throws IOException {
    add("a.weight", 1, 1).add("b.weight", DType.F32, new float[1], 1);
    add("c.weight", 1, 1).add("l.rotary_emb.inv_freq", DType.F32, new float[1], 1);
    try (var source = open()) {
      var weights = weights(source, DtypeChoice.AUTO);
      assertEquals(Set.of("a.weight", "b.weight", "c.weight"), weights.unused());
      weights.linear("a", 1, 1, Split.NONE);
      weights.vector("b.weight", 1);
      assertEquals(Set.of("c.weight"), weights.at("anything").unused());
    }
  }

  @Test
  void aMissingTensorIsNamedInFull() throws IOException {
    add("m.a.weight", 1, 1).add("m.b.bias", DType.F32, new float[1], 1);
    try (var source = open()) {
      var weights = weights(source, DtypeChoice.AUTO).at("m");
      assertFails(
          ErrorCode.MISSING_TENSOR, () -> weights.linear("x", 1, 1, Split.NONE), "m.x.weight");
      assertFails(
          ErrorCode.MISSING_TENSOR, () -> weights.linear("b", 1, 1, Split.NONE), "m.b.weight");
      assertFails(
          ErrorCode.MISSING_TENSOR, () -> weights.vector("norm.weight", 1), "m.norm.weight");
      assertFails(ErrorCode.MISSING_TENSOR, () -> weights.embedding("e", 1, 1), "m.e.weight");
    }
  }

  @Test
  void aWrongShapeSaysWhatIsThereAndWhatIsWanted() throws IOException {
    add("m.weight", 2, 3).add("v.weight", DType.F32, new float[4], 4);
    try (var source = open()) {
      var weights = weights(source, DtypeChoice.AUTO);
      assertFails(
          ErrorCode.BAD_SHAPE,
          () -> weights.linear("m", 3, 2, Split.NONE),
          "m is [2, 3], the model wants [3, 2]");
      assertFails(
          ErrorCode.BAD_SHAPE,
          () -> weights.linear("v", 2, 2, Split.NONE),
          "v.weight is [4], the model wants [2, 2]");
      assertFails(
          ErrorCode.BAD_SHAPE,
          () -> weights.vector("v.weight", 3),
          "v.weight is [4], the model wants [3]");
      assertFails(
          ErrorCode.BAD_SHAPE,
          () -> weights.vector("m.weight", 6),
          "m.weight is [2, 3], the model wants [6]");
    }
  }

  @Test
  void anEncodingNobodyReadsIsNamedWithThePluginsThereAre() throws IOException {
    file.add("m.q.qweight", DType.I32, new byte[8], 1, 2).add("n", DType.I8, new byte[1], 1);
    try (var source = open()) {
      var weights = weights(source, DtypeChoice.AUTO);
      assertFails(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          () -> weights.linear("m.q", 2, 8, Split.NONE),
          "m.q;",
          "m.q.qweight I32 [1, 2]",
          "[plain]");
      assertFails(
          ErrorCode.UNSUPPORTED_QUANTIZATION, () -> weights.vector("n", 1), "n is stored as I8");
    }
  }

  @Test
  void theFirstPluginThatAcceptsReads() throws IOException {
    add("a.weight", 1, 1).add("head.weight", DType.F32, new float[1], 1, 1);
    var picky = new PlainPlugin("picky", "head");
    var rest = new PlainPlugin("rest", "");
    try (var source = open()) {
      var weights = new CheckpointWeights(source, List.of(picky, rest), DtypeChoice.AUTO, target);
      weights.linear("a", 1, 1, Split.NONE);
      weights.linear("head", 1, 1, Split.NONE);
      assertEquals(List.of("a"), picky.read);
      assertEquals(List.of("head"), rest.read);
    }
  }

  @Test
  void aPluginsFaultIsReportedAsItsOwn() throws IOException {
    add("a.weight", 1, 1);
    try (var source = open()) {
      var weights =
          new CheckpointWeights(source, List.of(new BrokenPlugin()), DtypeChoice.AUTO, target);
      assertFails(
          ErrorCode.INTERNAL, () -> weights.linear("a", 1, 1, Split.NONE), "broken", "a", "oops");
      assertFails(
          ErrorCode.INTERNAL, () -> weights.linear("short", 9, 9, Split.NONE), "broken", "324");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16"})
  void vectorsOfEachTypeAreExact(DType type) throws IOException {
    float smallest = type == DType.F16 ? 0x1p-24f : 0x1p-133f;
    float[] values = {1, -2.5f, smallest, Float.POSITIVE_INFINITY, -0f};
    file.add("v", type, values, 5);
    try (var source = open()) {
      Bound vector = (Bound) weights(source, DtypeChoice.AUTO).vector("v", 5);
      assertArrayEquals(values, vector.bias());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, FLOAT32, false", "F32, BFLOAT16, true", "F32, FLOAT16, true", "F32, AUTO, false",
    "BF16, FLOAT32, true", "BF16, BFLOAT16, false", "BF16, FLOAT16, true", "BF16, AUTO, false",
    "F16, FLOAT32, true", "F16, BFLOAT16, true", "F16, FLOAT16, false", "F16, AUTO, false"
  })
  void theDtypeConvertsWhatHasAnother(DType stored, DtypeChoice choice, boolean converted)
      throws IOException {
    float[] values = {1.001f, -0.3333f, 3.14159f, 1e-7f};
    file.add("m.weight", stored, values, 2, 2).add("v", stored, values, 4);
    FloatCodec from = Objects.requireNonNull(FloatCodec.of(stored));
    FloatCodec to =
        switch (choice) {
          case AUTO -> from;
          case FLOAT32 -> FloatCodec.F32;
          case BFLOAT16 -> FloatCodec.BF16;
          case FLOAT16 -> FloatCodec.F16;
        };
    float[] expected = values.clone();
    for (int i = 0; i < 4; i++) {
      expected[i] = to.round(from.round(values[i]));
    }
    try (var source = open()) {
      var weights = weights(source, choice);
      Bound m = (Bound) weights.linear("m", 2, 2, Split.NONE);
      QuantizedMatrix matrix = m.parts().getFirst();
      assertEquals(to.format(), matrix.format());
      assertArrayEquals(Arrays.copyOfRange(expected, 2, 4), m.row(0, 1));
      float[] packed = new float[4];
      to.decode(matrix.packed(), 0, packed, 4);
      assertArrayEquals(expected, packed);
      assertEquals(
          !converted, matrix.packed().address() == source.tensor("m.weight").bytes().address());
      assertArrayEquals(expected, ((Bound) weights.vector("v", 4)).bias());
    }
  }

  @Test
  void numbersTooLargeForTheDtypeAreRefused() throws IOException {
    file.add("m.weight", DType.BF16, new float[] {70000, Float.POSITIVE_INFINITY}, 1, 2);
    try (var source = open()) {
      assertFails(
          ErrorCode.INVALID_CONFIGURATION,
          () -> weights(source, DtypeChoice.FLOAT16).linear("m", 1, 2, Split.NONE),
          "float16",
          "m",
          "auto");
    }
  }

  @Test
  void quantizedMatricesIgnoreTheDtype() throws IOException {
    add("a.weight", 1, 1);
    try (var source = open()) {
      var weights =
          new CheckpointWeights(
              source, List.of(new PlainInt8Plugin()), DtypeChoice.BFLOAT16, target);
      Bound a = (Bound) weights.linear("a", 2, 2, Split.NONE);
      assertEquals(new DeviceFormat.Int8(0), a.parts().getFirst().format());
    }
  }

  @Test
  void anInputOrderHasEachColumnOnce() throws IOException {
    add("a.weight", 1, 1);
    try (var source = open()) {
      for (int[] order : new int[][] {{0}, {0, 0}, {1, 2}, {-1, 0}, {0, 1, 2}}) {
        var reader = List.<QuantizationPlugin>of(new PlainInt8Plugin(order));
        var weights = new CheckpointWeights(source, reader, DtypeChoice.AUTO, target);
        assertFails(
            ErrorCode.INTERNAL, () -> weights.linear("a", 2, 2, Split.NONE), "zeros", "a", "order");
      }
      var swapped = List.<QuantizationPlugin>of(new PlainInt8Plugin(1, 0));
      var weights = new CheckpointWeights(source, swapped, DtypeChoice.AUTO, target);
      Bound a = (Bound) weights.linear("a", 2, 2, Split.NONE);
      assertEquals(2, a.parts().getFirst().inputOrder().length);
    }
  }

  @Test
  void dtypesHaveNames() {
    assertSame(DtypeChoice.BFLOAT16, DtypeChoice.of("bfloat16"));
    assertSame(DtypeChoice.AUTO, DtypeChoice.of("auto"));
    assertFails(
        ErrorCode.INVALID_CONFIGURATION, () -> DtypeChoice.of("int4"), "int4", "float16", "auto");
  }

  @Test
  void dummyWeightsTakeTheShapesTheModelAsksFor() throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        "{\"model_type\":\"qwen2\",\"tie_word_embeddings\":true}");
    try (var dummy = new DummyCheckpoint(JsonModelConfig.open(directory), 7)) {
      var weights = new CheckpointWeights(dummy, PLAIN, DtypeChoice.AUTO, target);
      weights.embedding("model.embed_tokens", 10, 4);
      Bound q = (Bound) weights.linear("model.layers.0.self_attn.q_proj", 6, 4, Split.COLUMN);
      assertArrayEquals(new float[6], q.bias());
      Bound up = (Bound) weights.linear("model.layers.0.mlp.up_proj", 8, 4, Split.COLUMN);
      assertNull(up.bias());
      Bound norm = (Bound) weights.vector("model.norm.weight", 4);
      assertArrayEquals(new float[] {1, 1, 1, 1}, norm.bias());
      assertEquals(Set.of(), weights.unused());
      assertFails(
          ErrorCode.MISSING_TENSOR,
          () -> weights.linear("lm_head", 10, 4, Split.COLUMN),
          "lm_head.weight");
    }
  }

  @Test
  void aDamagedCheckpointGivesNoWeights() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.write(directory.resolve("model.safetensors"), new byte[64]);
    assertInvalid(() -> HuggingFaceCheckpoint.open(directory).close(), "model.safetensors");
  }

  private SafetensorsWriter add(String name, int rows, int cols) {
    float[] values = new float[rows * cols];
    for (int i = 0; i < values.length; i++) {
      values[i] = i + 1;
    }
    return file.add(name, DType.F32, values, rows, cols);
  }

  private HuggingFaceCheckpoint open() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{}");
    file.write(directory.resolve("model.safetensors"));
    return HuggingFaceCheckpoint.open(directory);
  }

  private CheckpointWeights weights(WeightSource source, DtypeChoice dtype) {
    return new CheckpointWeights(source, PLAIN, dtype, target);
  }

  /** Throws on most matrices and lies about the length of {@code short}. */
  private static final class BrokenPlugin implements QuantizationPlugin {
    @Override
    public String name() {
      return "broken";
    }

    @Override
    public boolean accepts(String matrix, Checkpoint checkpoint) {
      return true;
    }

    @Override
    public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
      if (matrix.equals("short")) {
        return new FloatTable(9, 9, FloatCodec.F32, MemorySegment.ofArray(new byte[323]));
      }
      throw new IllegalStateException("oops");
    }
  }

  /** Gives a 2 × 2 matrix of zeros in INT8. */
  private static final class PlainInt8Plugin implements QuantizationPlugin {
    private final int[] inputOrder;

    PlainInt8Plugin(int... inputOrder) {
      this.inputOrder = inputOrder;
    }

    private record Zeros(
        int rows, int cols, DeviceFormat format, MemorySegment packed, int[] inputOrder)
        implements QuantizedMatrix {
      @Override
      public void decodeRow(int row, float[] out) {
        Arrays.fill(out, 0, cols, 0);
      }
    }

    @Override
    public String name() {
      return "zeros";
    }

    @Override
    public boolean accepts(String matrix, Checkpoint checkpoint) {
      return true;
    }

    @Override
    public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
      var bytes = MemorySegment.ofArray(new byte[72]);
      return new Zeros(2, 2, new DeviceFormat.Int8(0), bytes, inputOrder);
    }
  }
}
