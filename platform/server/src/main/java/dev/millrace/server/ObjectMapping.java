package dev.millrace.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.fasterxml.jackson.module.paramnames.ParameterNamesModule;
import io.dropwizard.jackson.AnnotationSensitivePropertyNamingStrategy;
import io.dropwizard.jackson.FuzzyEnumModule;
import io.dropwizard.jackson.Jackson;

/**
 * Dropwizard's mapper without Blackbird, which makes a class for each property of the
 * configuration: slower by a tenth of a second at a start, for objects that are read once.
 */
final class ObjectMapping {
  private ObjectMapping() {}

  static ObjectMapper mapper() {
    return Jackson.newMinimalObjectMapper()
        .registerModules(
            new FuzzyEnumModule(),
            new ParameterNamesModule(),
            new Jdk8Module(),
            new JavaTimeModule())
        .setPropertyNamingStrategy(new AnnotationSensitivePropertyNamingStrategy());
  }
}
