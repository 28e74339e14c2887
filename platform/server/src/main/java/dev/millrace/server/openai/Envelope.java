package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.server.serving.Version;
import jakarta.servlet.http.HttpServletRequest;

/**
 * What stands round the choices, the same in every chunk of a stream.
 *
 * @param created seconds since 1970
 */
record Envelope(String id, long created, String model, String fingerprint) {

  static Envelope of(String prefix, HttpServletRequest request, String model) {
    return new Envelope(
        prefix + RequestIdFilter.id(request),
        System.currentTimeMillis() / 1000,
        model,
        "millrace-" + Version.TEXT);
  }

  ObjectNode json(String object, ArrayNode choices) {
    var json = JsonNodeFactory.instance.objectNode();
    json.put("id", id)
        .put("object", object)
        .put("created", created)
        .put("model", model)
        .put("system_fingerprint", fingerprint);
    json.set("choices", choices);
    return json;
  }
}
