package dev.millrace.engine.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.fuzz.Fuzz;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chat templates that are spoilt anywhere: rendered, or refused by name. */
class TemplateFuzzTest {
  private static final String CHAT =
      """
      {%- set ns = namespace(found=false, n=0) -%}
      {%- macro show(m, depth=0) -%}
        {{- '<|' ~ m.role | upper ~ '|>' ~ (m['content'] | trim if m.content is string else '') -}}
      {%- endmacro -%}
      {%- for message in messages if message.role != 'tool' -%}
        {%- if loop.first and message['role'] == 'system' -%}{%- set ns.found = true -%}
        {%- elif not ns.found -%}{{ raise_exception('no system') if strict else '' }}{%- endif -%}
        {{ show(message, loop.index0 + 1) }}{{ "%s-%05.2f" | format('a', loop.index / 3) }}
        {%- for key, value in message.items() | sort -%}{{ key[::-1] }}={{ value | tojson(indent=2) }}{%- endfor -%}
      {%- else -%}nothing{%- endfor -%}
      {{ messages[1:] | map(attribute='role') | join(', ') }}{{ [1, 2.5, -3] | sum }}{{ 7 // 2 ** 3 % 5 }}
      {{ range(3) | list }}{{ strftime_now('%Y') | length }}{{ {'a': [1, {'b': none}]} | string }}
      {%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
      """;
  private static final List<String> WORDS =
      List.of(
          "{{",
          "}}",
          "{%",
          "%}",
          "{#",
          "#}",
          "{%- for x in range(1000000) -%}",
          "{%- endfor -%}",
          "{%- macro f() -%}{{ f() }}{%- endmacro -%}{{ f() }}",
          "{{ 'a' * 1000000000 }}",
          "{{ 9 ** 9 ** 9 }}",
          "{{ [0] * 999999999 }}",
          "{{ '%999999999d' | format(1) }}",
          "{{ x.__class__ }}",
          "(".repeat(50_000),
          "[".repeat(50_000),
          "-".repeat(50_000),
          "not ".repeat(50_000),
          "{% if a %}".repeat(20_000),
          "a.".repeat(50_000),
          " | trim".repeat(50_000),
          "\\ud800",
          "'",
          "\"",
          " ~ ",
          "{{ messages | tojson }}",
          "{{ 1 // 0 }}",
          "1e400",
          "0x",
          "{{ 'x'.center(999999999) }}",
          "{{ range(0, 1, 0) }}",
          "{{ 'a'[::0] }}");

  @TempDir private Path folder;

  @Test
  void spoiltTemplatesAreRenderedOrRefused() throws IOException {
    var prompt =
        new ChatPrompt(
            List.of(
                Map.of("role", "system", "content", "Be brief."),
                Map.of("role", "user", "content", "Hello <|x|>")));
    int sound =
        Fuzz.run(
            folder.resolve("chat_template.jinja"),
            List.of(CHAT.getBytes(UTF_8)),
            CHAT.length(),
            WORDS,
            _ -> ChatTemplate.open(folder).render(prompt));
    assertTrue(sound > 0, "the sample is not sound");
  }
}
