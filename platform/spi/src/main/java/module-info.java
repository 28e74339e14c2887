/**
 * What a plugin may use: three entry points (models, quantizers, schedulers) and the values they
 * exchange with the engine. Depends on the JDK alone.
 */
module dev.millrace.spi {
  requires static transitive org.jspecify;

  exports dev.millrace.spi;
  exports dev.millrace.spi.model;
  exports dev.millrace.spi.quant;
  exports dev.millrace.spi.schedule;
  exports dev.millrace.spi.tensor;
}
