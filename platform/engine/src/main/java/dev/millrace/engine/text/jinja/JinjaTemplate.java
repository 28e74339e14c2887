package dev.millrace.engine.text.jinja;

import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A parsed template, rendered as Jinja2 would in the environment of Hugging Face transformers:
 * blocks trimmed, loop controls, {@code generation}, {@code raise_exception}, {@code strftime_now},
 * and a {@code tojson} that keeps every character. Immutable; any number of threads may render.
 *
 * <p>A template reaches nothing but the variables it is given, cannot change them, and is stopped
 * with {@link JinjaException.Kind#LIMIT} when it runs too long, recurses too deeply or writes too
 * much. Variables are data: braces inside them are printed, not interpreted.
 */
public final class JinjaTemplate {
  private final List<Stmt> statements;
  private final Limits limits;

  private JinjaTemplate(List<Stmt> statements, Limits limits) {
    this.statements = statements;
    this.limits = limits;
  }

  /** Parses a template; a malformed one is a {@link JinjaException} of kind {@code SYNTAX}. */
  public static JinjaTemplate parse(String source) {
    return parse(source, Limits.DEFAULT);
  }

  static JinjaTemplate parse(String source, Limits limits) {
    if (source.length() > limits.templateLength()) {
      throw JinjaException.limit(
          "the template has "
              + source.length()
              + " characters, more than "
              + limits.templateLength());
    }
    return new JinjaTemplate(StmtParser.parse(source), limits);
  }

  /**
   * Renders with these variables: maps, lists, strings, numbers, booleans and null, nested.
   *
   * @param clock says what {@code strftime_now} reads, in its zone
   */
  public String render(Map<String, ?> variables, Clock clock) {
    var meter = new Meter(limits);
    try {
      Map<String, Object> values = new HashMap<>(Globals.functions(clock));
      variables.forEach((name, value) -> values.put(name, Values.adopt(value, meter)));
      var out = new Output(meter);
      new Interpreter(meter).run(statements, new Scope(values), out);
      return out.toString();
    } catch (JinjaException e) {
      throw e.at(meter.line());
    } catch (StackOverflowError e) {
      throw JinjaException.limit("the template nests too deeply").at(meter.line());
    }
  }
}
