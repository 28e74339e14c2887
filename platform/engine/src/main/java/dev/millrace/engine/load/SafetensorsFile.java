package dev.millrace.engine.load;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.CheckpointTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * One safetensors file, mapped into memory and checked. The tensors are slices of the mapping,
 * valid until the arena they are mapped in is closed.
 *
 * @param tensors by name, in the header's order
 */
record SafetensorsFile(Path path, SequencedMap<String, CheckpointTensor> tensors) {
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LENGTH_BYTES = Long.BYTES;
  private static final String LFS_POINTER = "version ";

  /**
   * Maps a file.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming the file and, if it is a tensor's
   *     description that is wrong, the tensor
   */
  static SafetensorsFile open(Path path, MappedFiles files) {
    MemorySegment file = files.map(path);
    byte[] header = header(path, file);
    MemorySegment data = file.asSlice((long) LENGTH_BYTES + header.length);
    SequencedMap<String, CheckpointTensor> tensors = new LinkedHashMap<>();
    for (TensorEntry entry : SafetensorsHeader.parse(path, header, data.byteSize())) {
      MemorySegment bytes = data.asSlice(entry.begin(), entry.end() - entry.begin());
      tensors.put(
          entry.name(), new CheckpointTensor(entry.name(), entry.dtype(), entry.shape(), bytes));
    }
    return new SafetensorsFile(path, tensors);
  }

  private static byte[] header(Path path, MemorySegment file) {
    if (file.byteSize() < LENGTH_BYTES) {
      throw damaged(path, "has " + file.byteSize() + " bytes, too few for a safetensors file");
    }
    long length = file.get(LENGTH, 0);
    byte[] start = file.asSlice(0, LENGTH_BYTES).toArray(ValueLayout.JAVA_BYTE);
    if (new String(start, StandardCharsets.ISO_8859_1).equals(LFS_POINTER)) {
      throw damaged(path, "is a Git LFS pointer, not the weights; run git lfs pull");
    }
    long largest = Math.min(JsonFile.LARGEST, file.byteSize() - LENGTH_BYTES);
    if (length <= 0 || length > largest) {
      throw damaged(
          path,
          "says its header has %s bytes; in a file of %d bytes it can have 1 to %d"
              .formatted(Long.toUnsignedString(length), file.byteSize(), largest));
    }
    return file.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private static InferenceException damaged(Path path, String what) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " " + what);
  }
}
