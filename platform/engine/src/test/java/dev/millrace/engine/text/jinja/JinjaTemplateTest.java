package dev.millrace.engine.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JinjaTemplateTest {
  private static JinjaException refused(String template) {
    return assertThrows(
        JinjaException.class, () -> JinjaCases.render(template, Map.of("x", "value")), template);
  }

  @Test
  void bracesInVariablesAreText() {
    String hostile = "{{ 7 * 7 }}{% for %}{# #}{{";
    assertEquals(
        hostile + hostile.length() + hostile,
        JinjaCases.render(
            "{{ x }}{{ x | length }}{% set y = x %}{{ y | trim }}", Map.of("x", hostile)));
  }

  @Test
  void variablesStayAsTheyWere() {
    var list = new ArrayList<Object>(List.of(1, 2));
    Map<String, Object> variables = new HashMap<>(Map.of("l", list));
    assertThrows(JinjaException.class, () -> JinjaCases.render("{{ l.append(3) }}", variables));
    assertEquals("[1, 2, 3]", JinjaCases.render("{% set l = l + [3] %}{{ l }}", variables));
    assertEquals(List.of(1, 2), list);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ x.__class__.__mro__ }}",
        "{{ x['__class__'].__mro__ }}",
        "{{ (x | attr('__class__')).__mro__ }}",
        "{{ '{0.__class__.__mro__}'.format(x) }}",
        "{{ {}.update({'a': 1}) }}",
        "{{ [].append(1) }}"
      })
  void theSandboxHoldsWhereJinjasDoes(String template) {
    assertEquals(JinjaException.Kind.FAULT, refused(template).kind());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{{ range(100001) }}",
        "{{ 'a' * 100000000 }}",
        "{{ [0] * 100000000 }}",
        "{{ 10 ** 100000 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a'.center(999999999) }}",
        "{{ '{:99999999}'.format(1) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set n = namespace(v='ab') %}{% for i in range(99) %}{% set n.v = n.v ~ n.v %}"
            + "{% endfor %}",
        "{% set n = namespace(v=['ab']) %}{% for i in range(99) %}{% set n.v = [n.v, n.v] %}"
            + "{% endfor %}{{ n.v }}",
        "{% set n = namespace(v=[], w=[]) %}{% for i in range(90) %}{% set n.v = [n.v, n.v] %}"
            + "{% set n.w = [n.w, n.w] %}{% endfor %}{{ n.v == n.w }}",
        "{% set n = namespace(v=[]) %}{% for i in range(40) %}{% set n.v = [n.v, n.v] %}"
            + "{% endfor %}{{ n.v | tojson }}",
        "{% for i in range(1000) %}{{ 'a' * 100000 }}{% endfor %}"
      })
  void runawayTemplatesAreStopped(String template) {
    assertEquals(JinjaException.Kind.LIMIT, refused(template).kind());
  }

  @Test
  void deepInputIsRefusedRatherThanOverflowing() {
    Object deep = List.of();
    for (int i = 0; i < 100_000; i++) {
      deep = List.of(deep);
    }
    Map<String, Object> variables = Map.of("deep", deep);
    var failure =
        assertThrows(JinjaException.class, () -> JinjaCases.render("{{ deep }}", variables));
    assertEquals(JinjaException.Kind.LIMIT, failure.kind());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{", "{% if %}", "{% if x %}", "{% endif %}", "{{ x | nope }}", "{{ x is nope }}",
        "{{ (x }}", "{{ 'x }}", "{# x", "{% raw %}", "{% for x %}{% endfor %}", "{% break %}",
        "{% macro m( %}", "{% set true = 1 %}", "{{ x[ }}", "{{ f(a=1, 2) }}", "{{ $ }}"
      })
  void malformedTemplatesAreNamedAsSuch(String template) {
    assertEquals(JinjaException.Kind.SYNTAX, refused(template).kind());
  }

  @Test
  void nestingIsBoundedWhileParsing() {
    assertEquals(
        JinjaException.Kind.SYNTAX,
        refused("{{ " + "(".repeat(5_000) + "1" + ")".repeat(5_000) + " }}").kind());
    assertEquals(
        JinjaException.Kind.SYNTAX,
        refused("{% if x %}".repeat(5_000) + "{% endif %}".repeat(5_000)).kind());
    assertEquals(JinjaException.Kind.SYNTAX, refused("{{ " + "not ".repeat(5_000) + "1 }}").kind());
    assertEquals(JinjaException.Kind.SYNTAX, refused("{{ " + "-".repeat(5_000) + "1 }}").kind());
  }

  @Test
  void failuresKnowTheirLine() {
    assertEquals(3, refused("a\n{# b\n #}{{ nothing.at_all }}").line());
    assertEquals(2, refused("{% set a = 1 %}\n{{ a + 'b' }}").line());
    assertEquals(4, refused("{{\n\n\nx |}}").line());
  }

  @Test
  void aFilteredLoopLooksNoFurtherThanAsked() {
    assertEquals(
        "0:1:2:",
        JinjaCases.render(
            "{% set n = namespace(go=true) %}{% for i in range(9) if n.go %}{{ i }}:"
                + "{% if i == 2 %}{% set n.go = false %}{% endif %}{% endfor %}",
            Map.of()));
  }

  @Test
  void loopsCanCallThemselves() {
    assertEquals(
        "a1[b2]c1",
        JinjaCases.render(
            "{% for i in t recursive %}{{ i.n }}{{ loop.depth }}"
                + "{% if i.c %}[{{ loop(i.c) }}]{% endif %}{% endfor %}",
            Map.of(
                "t", List.of(Map.of("n", "a", "c", List.of(Map.of("n", "b"))), Map.of("n", "c")))));
  }
}
