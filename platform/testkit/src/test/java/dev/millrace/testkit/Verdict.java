package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * What a contract says about its subject.
 *
 * @param failures messages by test method
 */
record Verdict(Map<String, String> failures) {

  /** Runs all tests of a contract. */
  static Verdict of(Object contract) throws IllegalAccessException {
    var failures = new TreeMap<String, String>();
    int tests = 0;
    for (var type = contract.getClass().getSuperclass(); type != Object.class; ) {
      for (var method : type.getDeclaredMethods()) {
        if (method.isAnnotationPresent(Test.class)) {
          tests++;
          try {
            method.invoke(contract);
          } catch (InvocationTargetException e) {
            failures.put(method.getName(), String.valueOf(e.getCause()));
          }
        }
      }
      type = type.getSuperclass();
    }
    assertTrue(tests > 0, contract.getClass() + " extends no contract");
    return new Verdict(failures);
  }

  void passes() {
    assertEquals(Map.of(), failures);
  }

  /** Exactly this test failed, with a message that contains the text. */
  void failsOnly(String test, String message) {
    assertEquals(Set.of(test), failures.keySet(), failures::toString);
    fails(test, message);
  }

  void fails(String test, String message) {
    assertTrue(failures.containsKey(test), () -> test + " passed; failures: " + failures);
    var found = String.valueOf(failures.get(test));
    assertTrue(found.contains(message), found);
  }
}
