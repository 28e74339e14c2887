package dev.millrace.cuda;

import java.util.Set;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Leaves out what a process before this one has run; JUnit finds it as a service. */
public final class OnlyNewTests implements ExecutionCondition {
  private static volatile Set<String> done = Set.of();

  static void leaveOut(Set<String> ids) {
    done = Set.copyOf(ids);
  }

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    return done.contains(context.getUniqueId())
        ? ConditionEvaluationResult.disabled("was run before")
        : ConditionEvaluationResult.enabled("is new");
  }
}
