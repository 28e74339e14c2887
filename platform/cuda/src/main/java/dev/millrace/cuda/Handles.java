package dev.millrace.cuda;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;

/** JCuda's handles, of which FFM calls need the numbers. */
final class Handles {
  private Handles() {}

  /** Device memory. */
  static final class Address extends CUdeviceptr {
    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** Memory of the host. */
  static final class Host extends Pointer {
    Host() {}

    Host(long address) {
      super(address);
    }

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** A stream. */
  static final class Stream extends CUstream {
    long value() {
      return getNativePointer();
    }
  }

  /** An event. */
  static final class Event extends CUevent {
    long value() {
      return getNativePointer();
    }
  }

  /** A kernel. */
  static final class Function extends CUfunction {
    long value() {
      return getNativePointer();
    }
  }

  /** An executable graph. */
  static final class Executable extends CUgraphExec {
    long value() {
      return getNativePointer();
    }
  }
}
