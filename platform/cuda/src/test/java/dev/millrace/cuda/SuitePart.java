package dev.millrace.cuda;

import java.util.Locale;

/** The parts of the {@link GpuSuite}, in their order. */
enum SuitePart {
  /** The driver loads, and all kernels for this card. */
  DRIVER(60),
  /** Each {@code *KernelTest} of the testkit. */
  KERNELS(90),
  /** Golden models and the contract of models. */
  MODELS(120),
  /** The contracts of devices. */
  DEVICE(120),
  /** Whether steps in BF16 come to what exact ones do. */
  ROUNDED(60),
  /** How fast memory and bus are. */
  COPIES(30),
  /** How fast products of cuBLASLt's are. */
  BLAS(60),
  /** How fast kernels and launches are. */
  BENCH(90),
  /** How fast the steps of a model are. */
  STEPS(120),
  /** How fast a whole engine is. */
  ENGINE(120),
  /** The driver translates all PTX. */
  PTX(60);

  /** On the simulated driver, which is slow, so much longer. */
  private static final int SIMULATED = 10;

  private final int seconds;

  SuitePart(int seconds) {
    this.seconds = seconds;
  }

  String argument() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** After which its process is ended. */
  int seconds() {
    return simulated() ? SIMULATED * seconds : seconds;
  }

  /** Whether the driver is the simulated one, on which everything is to be small. */
  static boolean simulated() {
    return Boolean.getBoolean("millrace.simulated");
  }

  /** Whether it consists of tests, each of which is reported. */
  boolean isTests() {
    return this == KERNELS || this == MODELS || this == DEVICE || this == ROUNDED;
  }

  /** Runs it in this process: {@code FOLDER PART NAME}, the name being the part's or a test's. */
  public static void main(String[] arguments) throws Exception {
    var part = valueOf(arguments[1].toUpperCase(Locale.ROOT));
    var name = arguments[2];
    var record = SuiteRecord.open(arguments[0], name);
    try {
      part.run(name, record);
    } catch (Exception | Error e) {
      e.printStackTrace();
      record.fail(name, e.toString());
    }
    record.end();
    System.exit(0);
  }

  private void run(String name, SuiteRecord record) throws Exception {
    var json = record.json();
    switch (this) {
      case DRIVER -> DriverPart.run(record);
      case KERNELS -> TestRun.of("dev.millrace.testkit.cuda." + name, record);
      case MODELS -> TestRun.of(CudaModelsTest.class.getName(), record);
      case DEVICE -> TestRun.of(CudaDeviceTest.class.getName(), record);
      case ROUNDED -> TestRun.of(RoundedActivationsTest.class.getName(), record);
      case BLAS -> new BlasBench(json.putArray("blas"), record::say, () -> true).run();
      case COPIES -> new CopyBench(json.putObject("copies"), record::say).run();
      case BENCH -> new KernelBench(record).run();
      case ENGINE -> new EngineBench(json.putObject("engine"), record::say).run();
      case STEPS -> new StepBench(json.putArray("steps"), record::say).run();
      case PTX -> PtxPart.run(record);
    }
  }
}
