package dev.millrace.engine.text.jinja;

/** What a missing variable, attribute or element gives: empty as text, an error if worked with. */
record Undefined(String message) {
  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  static Undefined attribute(Object owner, String name) {
    return new Undefined("'" + ownerName(owner) + "' has no attribute " + Repr.quoted(name));
  }

  static Undefined element(Object owner, Object key, Meter meter) {
    return key instanceof String name
        ? attribute(owner, name)
        : new Undefined(ownerName(owner) + " has no element " + Repr.repr(key, meter));
  }

  static Undefined unsafe(Object owner, String name) {
    return new Undefined(
        "access to attribute "
            + Repr.quoted(name)
            + " of '"
            + Values.typeName(owner)
            + "' object is unsafe.");
  }

  private static String ownerName(Object owner) {
    return owner == None.NONE ? "None" : Values.typeName(owner) + " object";
  }

  JinjaException failure() {
    return JinjaException.fault(message);
  }

  /** All undefined values are equal, as in Jinja. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Undefined;
  }

  @Override
  public int hashCode() {
    return 0;
  }
}
