package dev.millrace.cuda;

/** Types of numbers in a product of cuBLASLt's. */
enum BlasType {
  FLOAT32(0, 4),
  BFLOAT16(14, 2),
  FP8_E4M3(28, 1);

  private final int number;
  private final int bytes;

  BlasType(int number, int bytes) {
    this.number = number;
    this.bytes = bytes;
  }

  /** As {@code cudaDataType} has it. */
  int number() {
    return number;
  }

  int bytes() {
    return bytes;
  }
}
