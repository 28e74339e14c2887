package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The library of native kernels that the kernels jar brings along. Loaded once, at first use, and
 * never unloaded.
 */
@SuppressWarnings("restricted") // native code is what this is for
public final class NativeLibrary {
  private static final String RESOURCE = "/dev/millrace/kernels/libmillrace_cpu.so";

  /** System property: do as if the machine had none. */
  private static final String OFF = "millrace.no-native-kernels";

  /** Bit of {@code isa.c}: AVX-512 VNNI. */
  private static final int BYTES = 16;

  private final @Nullable SymbolLookup symbols;
  private final List<InstructionSet> sets;
  private final boolean multipliesBytes;
  private final String lack;

  /**
   * What was loaded, if anything.
   *
   * @param bits what {@code isa.c} says of the machine
   */
  private NativeLibrary(@Nullable SymbolLookup symbols, int bits, String lack) {
    this.symbols = symbols;
    this.sets = Arrays.stream(InstructionSet.values()).filter(set -> set.in(bits)).toList();
    this.multipliesBytes = (bits & BYTES) != 0;
    this.lack = lack;
  }

  private static final class Loaded {
    static final NativeLibrary LIBRARY = load();
  }

  /** The jar's. */
  public static NativeLibrary get() {
    return Loaded.LIBRARY;
  }

  /** The instruction sets that this machine has and the library was compiled for, fastest first. */
  public static List<InstructionSet> sets() {
    return get().sets;
  }

  /** Why there are none, and how to get them; empty where there are some. */
  public static String lack() {
    return get().lack;
  }

  private static NativeLibrary load() {
    if (Boolean.getBoolean(OFF)) {
      return without("they are switched off, by -D" + OFF + "=true");
    }
    String platform = System.getProperty("os.name") + "-" + System.getProperty("os.arch");
    if (!platform.equals("Linux-amd64")) {
      return without("they are written for Linux on x86-64, this is " + platform);
    }
    try (var in = NativeLibrary.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        return without("this was built without a C compiler; install one (gcc) and build again");
      }
      Path file = Files.createTempFile("millrace-kernels", ".so");
      try {
        Files.write(file, in.readAllBytes());
        return open(file);
      } finally {
        Files.delete(file); // stays mapped
      }
    } catch (IOException | IllegalArgumentException e) {
      return without("their library cannot be loaded: " + e.getMessage());
    }
  }

  /**
   * A library other than the jar's.
   *
   * @param file made by {@code kernels/cpu/build.sh}
   */
  public static NativeLibrary open(Path file) {
    var symbols = SymbolLookup.libraryLookup(file, Arena.global());
    int bits = bits(symbols);
    String lack =
        bits == 0 ? "they need AVX2, FMA and F16C, which this processor does not have" : "";
    return new NativeLibrary(symbols, bits, lack);
  }

  /** Whether the machine can run this library's kernels for that set. */
  public boolean has(InstructionSet set) {
    return sets.contains(set);
  }

  /**
   * Whether linears can take activations as bytes: the machine has AVX-512 VNNI, and the library
   * was compiled for it.
   */
  public boolean multipliesBytes() {
    return multipliesBytes;
  }

  private static NativeLibrary without(String why) {
    return new NativeLibrary(null, 0, why);
  }

  private static int bits(SymbolLookup symbols) {
    try {
      var handle =
          Linker.nativeLinker()
              .downcallHandle(
                  symbols.findOrThrow("instruction_sets"), FunctionDescriptor.of(JAVA_INT));
      return (int) handle.invokeExact();
    } catch (Throwable e) {
      throw new LinkageError("instruction_sets failed", e);
    }
  }

  /** A function of the library that returns nothing, in its version for an instruction set. */
  MethodHandle function(String name, InstructionSet set, MemoryLayout... parameters) {
    String own = name + "_" + set.label();
    boolean known = symbols != null && symbols.find(own).isPresent();
    return function(
        known ? own : name + "_" + set.others().label(), FunctionDescriptor.ofVoid(parameters));
  }

  /** A function for products of bytes, which returns nothing. */
  MethodHandle byteFunction(String name, MemoryLayout... parameters) {
    return function(name + "_avx512vnni", FunctionDescriptor.ofVoid(parameters));
  }

  /** Whether there is a library, whatever the machine has. */
  boolean present() {
    return symbols != null;
  }

  /** A function of the library, where there is one. */
  MethodHandle function(String name, FunctionDescriptor type) {
    if (symbols == null) {
      throw new IllegalStateException("no native kernels: " + lack);
    }
    return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), type);
  }
}
