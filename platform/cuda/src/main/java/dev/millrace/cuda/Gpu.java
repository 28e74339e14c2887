package dev.millrace.cuda;

import dev.millrace.engine.device.DeviceMemory;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/**
 * One card and its primary context, which libraries beside us share. A thread that calls the driver
 * enters the context first.
 */
final class Gpu implements AutoCloseable {
  private final CUdevice device;
  private final CUcontext context = new CUcontext();
  private final String name;
  private final int architecture;
  private final int driver;

  /** Retains the context of the driver's first card. */
  Gpu(int driver) {
    this.driver = driver;
    this.device = DriverLibrary.firstDevice();
    byte[] label = new byte[256];
    CudaResult.check(JCudaDriver.cuDeviceGetName(label, label.length, device), "cuDeviceGetName");
    this.name = new String(label, StandardCharsets.UTF_8).split("\0", 2)[0];
    this.architecture =
        10 * attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    CudaResult.check(
        JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain");
  }

  private int attribute(int which) {
    int[] value = new int[1];
    CudaResult.check(
        JCudaDriver.cuDeviceGetAttribute(value, which, device), "cuDeviceGetAttribute");
    return value[0];
  }

  /** As NVIDIA calls it. */
  String name() {
    return name;
  }

  /** Its compute capability, times ten: 90 for an H200. */
  int architecture() {
    return architecture;
  }

  /** The driver's version: 13000 for CUDA 13.0. */
  int driver() {
    return driver;
  }

  int multiprocessors() {
    return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  }

  /** Makes the context the calling thread's. */
  void enter() {
    CudaResult.check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  }

  /** What it has, and what of that nobody uses now. */
  DeviceMemory memory(double utilization) {
    enter();
    long[] free = new long[1];
    long[] total = new long[1];
    CudaResult.check(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
    return new DeviceMemory(total[0], free[0], utilization);
  }

  @Override
  public void close() {
    JCudaDriver.cuDevicePrimaryCtxRelease(device); // at worst it was broken
  }
}
