package dev.millrace.engine.text.jinja;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;

/** What the template tests share: the moment the expected renderings were made at, and JSON. */
final class JinjaCases {
  static final Clock CLOCK = Clock.fixed(Instant.parse("2025-07-10T12:00:00Z"), ZoneOffset.UTC);

  static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JinjaCases() {}

  @SuppressWarnings("unchecked")
  static Map<String, Object> variables(JsonNode object) {
    return JSON.convertValue(object, Map.class);
  }

  static String render(String template, Map<String, ?> variables) {
    return JinjaTemplate.parse(template).render(variables, CLOCK);
  }
}
