package dev.millrace.server.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Everything that can be set, with vLLM's names where vLLM has the thing. */
public final class Keys {
  public static final Setting<String> MODEL =
      new Setting<>(
          "model",
          Kind.text("MODEL"),
          null,
          "a model's directory, its GGUF file (any part of it), or its name on a hub:"
              + " ORG/NAME[:REVISION], ORG/NAME:QUANTIZATION, ORG/NAME/FILE.gguf");
  public static final Setting<List<String>> SERVED_MODEL_NAME =
      new Setting<>(
          "served-model-name",
          Kind.texts("NAME"),
          null,
          "name of the model in the API; more names are aliases");
  public static final Setting<String> LOAD_FORMAT =
      new Setting<>(
          "load-format",
          Kind.oneOf("auto", "dummy"),
          "auto",
          "where weights come from: the checkpoint, or random (dummy)");
  public static final Setting<String> DTYPE =
      new Setting<>(
          "dtype",
          Kind.oneOf("auto", "float32", "bfloat16", "float16"),
          "auto",
          "type that unquantized weights are kept in");
  public static final Setting<String> QUANTIZATION =
      new Setting<>(
          "quantization",
          Kind.text("NAME"),
          null,
          "quantization plugin that reads the weights; int8, int4 and fp8 make them at load");
  public static final Setting<Map<String, Object>> QUANTIZATION_CONFIG =
      new Setting<>(
          "quantization-config",
          Kind.object(),
          Map.of(),
          "settings of what is quantized at load, such as"
              + " {\"group_size\": 128, \"ignore\": [\"lm_head\"]}");
  public static final Setting<String> DEVICE =
      new Setting<>("device", Kind.oneOf("auto", "cpu", "cuda"), "auto", "what computes");
  public static final Setting<Double> GPU_MEMORY_UTILIZATION =
      new Setting<>(
          "gpu-memory-utilization",
          Kind.part(),
          0.9,
          "part of a GPU's memory for weights, KV cache and work");
  public static final Setting<Boolean> BATCH_INVARIANT =
      new Setting<>(
          "batch-invariant",
          Kind.flag(),
          false,
          "on a GPU: answers do not depend on what else is computed, at a cost; the CPU's never do");
  public static final Setting<String> CPU_KERNELS =
      new Setting<>(
          "cpu-kernels",
          Kind.oneOf("auto", "amx", "avx512bf16", "avx512", "avx2", "vector", "reference"),
          "auto",
          "kernels used on the CPU");
  public static final Setting<String> QUANTIZED_ACTIVATIONS =
      new Setting<>(
          "quantized-activations",
          Kind.oneOf("none", "int8"),
          "none",
          "on the CPU: int8 multiplies INT8 and INT4 weights with activations of 8 bits; needs"
              + " AVX-512 VNNI");
  public static final Setting<Integer> THREADS =
      new Setting<>(
          "threads", Kind.count(1, 1024), null, "threads that compute; default: one per core");

  public static final Setting<String> SCHEDULER =
      new Setting<>(
          "scheduler",
          Kind.text("NAME"),
          "continuous",
          "scheduler plugin that plans: continuous, priority, shortest-first, static or one of a"
              + " jar's");
  public static final Setting<Map<String, Map<String, String>>> SCHEDULER_SETTINGS =
      new Setting<>(
          "scheduler-settings", Kind.textsByName(), Map.of(), "settings of schedulers, by name");
  public static final Setting<Integer> MAX_MODEL_LEN =
      new Setting<>(
          "max-model-len",
          Kind.count(1, Integer.MAX_VALUE),
          null,
          "longest prompt and answer together, in tokens; default: the model's");
  public static final Setting<Integer> MAX_NUM_SEQS =
      new Setting<>(
          "max-num-seqs", Kind.count(1, Integer.MAX_VALUE), 64, "sequences that run at once");
  public static final Setting<Integer> MAX_NUM_BATCHED_TOKENS =
      new Setting<>(
          "max-num-batched-tokens", Kind.count(1, Integer.MAX_VALUE), 512, "tokens of one step");
  public static final Setting<Integer> BLOCK_SIZE =
      new Setting<>("block-size", Kind.count(1, 1024), 16, "tokens per KV block");
  public static final Setting<Long> KV_CACHE_MEMORY_BYTES =
      new Setting<>(
          "kv-cache-memory-bytes",
          Kind.bytes(),
          null,
          "memory for keys and values; default: what is needed, at most a quarter of all, or what a"
              + " GPU has left");
  public static final Setting<String> KV_CACHE_DTYPE =
      new Setting<>(
          "kv-cache-dtype",
          Kind.oneOf("auto", "float32", "bfloat16", "float16", "fp8", "fp8_e4m3", "int8"),
          "auto",
          "type that keys and values are kept in; auto: bfloat16 where products round to it, else"
              + " float32");
  public static final Setting<Boolean> ENABLE_PREFIX_CACHING =
      new Setting<>(
          "enable-prefix-caching",
          Kind.flag(),
          true,
          "whether requests share the KV blocks of equal prompt beginnings");
  public static final Setting<Integer> MAX_QUEUED_REQUESTS =
      new Setting<>(
          "max-queued-requests",
          Kind.count(1, Integer.MAX_VALUE),
          1024,
          "requests that may wait; the next one gets a 429");
  public static final Setting<Integer> MAX_QUEUED_TOKENS =
      new Setting<>(
          "max-queued-tokens",
          Kind.count(1, Integer.MAX_VALUE),
          1_000_000,
          "prompt tokens that may wait; the next one gets a 429");
  public static final Setting<Long> SEED =
      new Setting<>(
          "seed", Kind.whole(), null, "makes requests without a seed repeatable; default: random");

  public static final Setting<String> HOST =
      new Setting<>("host", Kind.text("HOST"), "0.0.0.0", "address to listen on");
  public static final Setting<Integer> PORT =
      new Setting<>("port", Kind.count(0, 65_535), 8080, "port of the API; 0: any free one");
  public static final Setting<Integer> ADMIN_PORT =
      new Setting<>(
          "admin-port", Kind.count(0, 65_535), 8081, "port of the admin pages, on this machine");
  public static final Setting<List<String>> API_KEY =
      new Setting<>(
          "api-key", Kind.wholeTexts("KEY"), List.of(), "key that /v1 asks for; may repeat");
  public static final Setting<Long> MAX_REQUEST_SIZE =
      new Setting<>("max-request-size", Kind.bytes(), 2L << 20, "longest request body");
  public static final Setting<Integer> MAX_LOGPROBS =
      new Setting<>(
          "max-logprobs", Kind.count(0, 1024), 20, "most alternatives per token a request may ask");
  public static final Setting<Duration> QUEUE_TIMEOUT =
      new Setting<>(
          "queue-timeout",
          Kind.seconds(),
          null,
          "longest wait of a request for its first step; default: no limit");
  public static final Setting<Duration> REQUEST_TIMEOUT =
      new Setting<>(
          "request-timeout",
          Kind.seconds(),
          null,
          "longest time from a request to the end of its answer; default: no limit");
  public static final Setting<Duration> SHUTDOWN_TIMEOUT =
      new Setting<>(
          "shutdown-timeout",
          Kind.seconds(),
          Duration.ofSeconds(30),
          "longest time that running requests get to finish at shutdown");
  public static final Setting<String> PLUGINS =
      new Setting<>(
          "plugins", Kind.text("DIR"), null, "directory of plugin jars; default: the built-in one");

  /** All of them, in the order of the help. */
  public static final List<Setting<?>> ALL =
      List.of(
          MODEL,
          SERVED_MODEL_NAME,
          LOAD_FORMAT,
          DTYPE,
          QUANTIZATION,
          QUANTIZATION_CONFIG,
          DEVICE,
          GPU_MEMORY_UTILIZATION,
          BATCH_INVARIANT,
          CPU_KERNELS,
          QUANTIZED_ACTIVATIONS,
          THREADS,
          SCHEDULER,
          SCHEDULER_SETTINGS,
          MAX_MODEL_LEN,
          MAX_NUM_SEQS,
          MAX_NUM_BATCHED_TOKENS,
          BLOCK_SIZE,
          KV_CACHE_MEMORY_BYTES,
          KV_CACHE_DTYPE,
          ENABLE_PREFIX_CACHING,
          MAX_QUEUED_REQUESTS,
          MAX_QUEUED_TOKENS,
          SEED,
          HOST,
          PORT,
          ADMIN_PORT,
          API_KEY,
          MAX_REQUEST_SIZE,
          MAX_LOGPROBS,
          QUEUE_TIMEOUT,
          REQUEST_TIMEOUT,
          SHUTDOWN_TIMEOUT,
          PLUGINS);

  /** Those that a model is opened with, and that another model may be given in their place. */
  public static final List<Setting<?>> OF_MODEL = ALL.subList(0, ALL.indexOf(SEED));

  private Keys() {}

  /** Those that are flags, too: all but the maps. */
  public static List<Setting<?>> flags() {
    return ALL.stream().filter(setting -> !setting.equals(SCHEDULER_SETTINGS)).toList();
  }
}
