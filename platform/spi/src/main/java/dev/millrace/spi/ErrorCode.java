package dev.millrace.spi;

/** Why a request, a plugin or the loading of a model failed. The server maps each to one status. */
public enum ErrorCode {
  /** The request itself is wrong; the same request would fail again. */
  INVALID_REQUEST,
  /** Prompt and answer together are longer than the model's context. */
  CONTEXT_TOO_LONG,
  /** The request names a model that is not served. */
  UNKNOWN_MODEL,
  /** The queue is full, by requests or by prompt tokens; try again later. */
  QUEUE_FULL,
  /** The engine is starting, draining or stopped. */
  UNAVAILABLE,
  /** The request ran into its time limit. */
  TIMED_OUT,
  /** The request waited longer than its limit for its first step. */
  QUEUE_TIMEOUT,
  /** The client left or asked for the request to end. */
  CANCELLED,
  /**
   * No model plugin serves this architecture, or a setting of its configuration is not supported.
   */
  UNSUPPORTED_MODEL,
  /** No quantization plugin accepts a tensor, or its encoding is one we do not read. */
  UNSUPPORTED_QUANTIZATION,
  /** Neither the disk nor the hub has a model, revision or file of this name. */
  UNKNOWN_CHECKPOINT,
  /** The hub wants a token for this model, or another one. */
  ACCESS_DENIED,
  /** The hub cannot be reached or fails, or may not be asked, and the cache lacks the model. */
  HUB_UNAVAILABLE,
  /** The disk has no room for the model, or cannot be written. */
  OUT_OF_SPACE,
  /** A file of the checkpoint is missing, damaged or contradicts another. */
  INVALID_CHECKPOINT,
  /** A tensor that the model needs is not in the checkpoint. */
  MISSING_TENSOR,
  /** A tensor has another shape than the model's configuration says. */
  BAD_SHAPE,
  /** A setting of the server is wrong. */
  INVALID_CONFIGURATION,
  /** A plugin jar cannot be used. */
  INVALID_PLUGIN,
  /** No such plugin is loaded, or there is no such jar. */
  UNKNOWN_PLUGIN,
  /** A plugin cannot be unloaded, because something of it is in use. */
  PLUGIN_IN_USE,
  /** A scheduler's plan breaks a rule. */
  INVALID_PLAN,
  /** Weights or KV cache do not fit into the memory there is. */
  OUT_OF_MEMORY,
  /** A row of logits is not a number. */
  NUMERICAL_FAILURE,
  /** The device failed; the step is lost. */
  DEVICE_FAILURE,
  /** Files of the model were changed or cannot be read any more; it is served no longer. */
  MODEL_LOST,
  /** The device is broken until the process is started anew. */
  DEVICE_LOST,
  /** A fault of ours or of a plugin. */
  INTERNAL
}
