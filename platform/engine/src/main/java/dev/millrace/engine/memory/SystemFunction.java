package dev.millrace.engine.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** Finds functions of the C library. */
@SuppressWarnings("restricted") // they are called as they are
public final class SystemFunction {
  private SystemFunction() {}

  /** The function of this name, where the system has it. */
  public static Optional<MethodHandle> find(String name, FunctionDescriptor form) {
    var linker = Linker.nativeLinker();
    return linker.defaultLookup().find(name).map(at -> linker.downcallHandle(at, form));
  }
}
