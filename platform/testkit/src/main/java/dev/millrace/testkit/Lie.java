package dev.millrace.testkit;

import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/** A checkpoint of which one tensor was changed. */
record Lie(Checkpoint truth, CheckpointTensor changed) implements Checkpoint {

  /** The last element is missing from the bytes. */
  static Lie shortened(Checkpoint truth, CheckpointTensor tensor) {
    var bytes = tensor.bytes().asSlice(0, tensor.bytes().byteSize() - tensor.dtype().bytes());
    return new Lie(truth, changed(tensor, tensor.shape(), bytes));
  }

  /** There is one element more than the shape says. */
  static Lie lengthened(Checkpoint truth, CheckpointTensor tensor) {
    return new Lie(truth, changed(tensor, tensor.shape(), copy(tensor, tensor.dtype().bytes())));
  }

  /** All elements are in one dimension. */
  static Lie flattened(Checkpoint truth, CheckpointTensor tensor) {
    return new Lie(truth, changed(tensor, List.of(tensor.elements()), tensor.bytes()));
  }

  /** The first element is not a number. */
  static Lie notANumber(Checkpoint truth, CheckpointTensor tensor) {
    var bytes = copy(tensor, 0);
    // all bits set is a NaN in F64, F32, F16 and BF16
    bytes.asSlice(0, tensor.dtype().bytes()).fill((byte) -1);
    return new Lie(truth, changed(tensor, tensor.shape(), bytes));
  }

  static boolean isFloat(DType type) {
    return switch (type) {
      case F64, F32, F16, BF16 -> true;
      case F8_E4M3, F8_E5M2, F8_E8M0, I64, I32, I16, I8, U64, U32, U16, U8, BOOL -> false;
    };
  }

  @Override
  public Set<String> names() {
    return truth.names();
  }

  @Override
  public boolean has(String tensor) {
    return truth.has(tensor);
  }

  @Override
  public CheckpointTensor tensor(String name) {
    return name.equals(changed.name()) ? changed : truth.tensor(name);
  }

  @Override
  public ModelConfig quantization() {
    return truth.quantization();
  }

  @Override
  public MemorySegment allocate(String owner, long bytes) {
    return truth.allocate(owner, bytes);
  }

  private static MemorySegment copy(CheckpointTensor tensor, int moreBytes) {
    var bytes = Arena.ofAuto().allocate(tensor.bytes().byteSize() + moreBytes);
    return bytes.copyFrom(tensor.bytes());
  }

  private static CheckpointTensor changed(
      CheckpointTensor tensor, List<Long> shape, MemorySegment bytes) {
    return new CheckpointTensor(tensor.name(), tensor.dtype(), shape, bytes);
  }
}
