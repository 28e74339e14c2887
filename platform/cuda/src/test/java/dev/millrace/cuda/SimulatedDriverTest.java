package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The simulated driver refuses what a real one refuses, and forgives no more. */
class SimulatedDriverTest {
  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();

  @BeforeEach
  void open() {
    SimulatedDriver.use();
    assertEquals(0, JCudaDriver.cuInit(0));
    assertEquals(0, JCudaDriver.cuDeviceGet(device, 0));
    assertEquals(0, JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    assertEquals(0, JCudaDriver.cuCtxSetCurrent(context));
  }

  @AfterEach
  void close() {
    JCudaDriver.cuDevicePrimaryCtxRelease(device);
    JCudaDriver.cuCtxSetCurrent(new CUcontext());
    assertEquals(0, SimulatedDriver.count("contexts"));
    assertEquals(0, SimulatedDriver.count("bytes"));
  }

  @Test
  void aThreadWithoutTheContextCanDoNothing() {
    var result =
        CompletableFuture.supplyAsync(() -> JCudaDriver.cuMemAlloc(new CUdeviceptr(), 16)).join();
    assertEquals(CUresult.CUDA_ERROR_INVALID_CONTEXT, result);
  }

  @Test
  void memoryEndsWhereItEndsAndIsFreedOnce() {
    var memory = new CUdeviceptr();
    assertEquals(0, JCudaDriver.cuMemAlloc(memory, 100));
    try (var arena = Arena.ofConfined()) {
      var host = new Handles.Host(arena.allocate(200).address());
      assertEquals(0, JCudaDriver.cuMemcpyHtoD(memory, host, 100));
      assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemcpyHtoD(memory, host, 101));
      assertEquals(0, JCudaDriver.cuMemFree(memory));
      assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemcpyHtoD(memory, host, 100));
      assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuMemFree(memory));
    }
  }

  @Test
  void memoryRunsOut() {
    SimulatedDriver.set("memory=1048576");
    var half = new CUdeviceptr();
    assertEquals(0, JCudaDriver.cuMemAlloc(half, 600_000));
    var error = assertThrows(InferenceException.class, () -> new Memory(600_000, "two halves"));
    assertEquals(ErrorCode.OUT_OF_MEMORY, error.code());
    assertEquals("two halves need 1 MiB of GPU memory, 0 of 1 are free", error.getMessage());
    SimulatedDriver.set("fail-allocation=2");
    new Memory(16, "a bit").close();
    assertThrows(InferenceException.class, () -> new Memory(16, "a bit"));
  }

  @Test
  void workWaitsUntilSomebodyWaitsForIt() {
    var stream = new Handles.Stream();
    assertEquals(0, JCudaDriver.cuStreamCreate(stream, 1));
    try (var pinned = new PinnedMemory(4);
        var memory = new Memory(4, "test")) {
      var there = pinned.segment();
      there.set(ValueLayout.JAVA_INT, 0, 1);
      DriverCalls.upload(memory.address(), there, 4, stream.value());
      there.set(ValueLayout.JAVA_INT, 0, 2); // too early: the copy has not happened
      DriverCalls.download(there, memory.address(), 4, stream.value());
      there.set(ValueLayout.JAVA_INT, 0, 3);
      DriverCalls.synchronize(stream.value());
      assertEquals(3, there.get(ValueLayout.JAVA_INT, 0));
    }
    assertEquals(0, JCudaDriver.cuStreamDestroy(stream));
    assertEquals(CUresult.CUDA_ERROR_INVALID_HANDLE, JCudaDriver.cuStreamSynchronize(stream));
  }

  @Test
  void eventsComeWhenTheirStreamHasComeSoFar() {
    var stream = new Handles.Stream();
    var event = new CUevent();
    assertEquals(0, JCudaDriver.cuStreamCreate(stream, 1));
    assertEquals(0, JCudaDriver.cuEventCreate(event, 0));
    try (var memory = new Memory(4, "test")) {
      DriverCalls.fill(memory.address(), (byte) 1, 4, stream.value());
      assertEquals(0, JCudaDriver.cuEventRecord(event, stream));
      assertEquals(CUresult.CUDA_ERROR_NOT_READY, JCudaDriver.cuEventQuery(event));
      assertEquals(CUresult.CUDA_ERROR_NOT_READY, JCudaDriver.cuEventQuery(event));
      assertEquals(0, JCudaDriver.cuEventQuery(event));
    }
    assertEquals(0, JCudaDriver.cuEventDestroy(event));
    assertEquals(CUresult.CUDA_ERROR_INVALID_HANDLE, JCudaDriver.cuEventQuery(event));
    assertEquals(0, JCudaDriver.cuStreamDestroy(stream));
  }

  @Test
  void aCaptureRunsNothingAndToleratesNoWaiting() {
    var stream = new Handles.Stream();
    assertEquals(0, JCudaDriver.cuStreamCreate(stream, 1));
    try (var pinned = new PinnedMemory(4);
        var memory = new Memory(4, "test")) {
      var there = pinned.segment();
      assertEquals(0, JCudaDriver.cuStreamBeginCapture(stream, 2));
      DriverCalls.upload(memory.address(), there, 4, stream.value());
      assertEquals(
          CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, JCudaDriver.cuStreamSynchronize(stream));
      var graph = new CUgraph();
      assertEquals(
          CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
          JCudaDriver.cuStreamEndCapture(stream, graph));
      assertEquals(0, JCudaDriver.cuStreamBeginCapture(stream, 2));
      DriverCalls.upload(memory.address(), there, 4, stream.value());
      assertEquals(0, JCudaDriver.cuStreamEndCapture(stream, graph));
      var executable = new Handles.Executable();
      assertEquals(0, JCudaDriver.cuGraphInstantiate(executable, graph, 0));
      there.set(ValueLayout.JAVA_INT, 0, 7);
      DriverCalls.launchGraph(executable.value(), stream.value());
      DriverCalls.synchronize(stream.value());
      there.set(ValueLayout.JAVA_INT, 0, 0);
      DriverCalls.download(there, memory.address(), 4, stream.value());
      DriverCalls.synchronize(stream.value());
      assertEquals(7, there.get(ValueLayout.JAVA_INT, 0));
      assertEquals(0, JCudaDriver.cuGraphExecDestroy(executable));
      assertEquals(0, JCudaDriver.cuGraphDestroy(graph));
      assertEquals(
          CUresult.CUDA_ERROR_INVALID_VALUE, JCudaDriver.cuGraphLaunch(new CUgraphExec(), stream));
    }
    assertEquals(0, JCudaDriver.cuStreamDestroy(stream));
    assertEquals(0, SimulatedDriver.count("graphs"));
  }

  @Test
  void imagesMustBeForTheCardAndTheDriver() {
    var module = new CUmodule();
    assertEquals(
        CUresult.CUDA_ERROR_INVALID_IMAGE,
        JCudaDriver.cuModuleLoadData(module, "no image at all\0".getBytes(StandardCharsets.UTF_8)));
    assertEquals(0, JCudaDriver.cuModuleLoadData(module, ptx("8.0", 80)));
    assertEquals(
        CUresult.CUDA_ERROR_NOT_FOUND,
        JCudaDriver.cuModuleGetFunction(new CUfunction(), module, "no_such_kernel"));
    assertEquals(0, JCudaDriver.cuModuleUnload(module));
    assertEquals(
        CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
        JCudaDriver.cuModuleLoadData(module, ptx("8.0", 100)));
    SimulatedDriver.set("driver=12000");
    assertEquals(
        CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
        JCudaDriver.cuModuleLoadData(module, ptx("9.0", 80)));
  }

  private static byte[] ptx(String version, int target) {
    return ("// made by hand\n.version " + version + "\n.target sm_" + target + "\n\0")
        .getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void launchesNeedAKernel() {
    try (var arena = Arena.ofConfined()) {
      for (boolean early : new boolean[] {false, true}) {
        var configuration = new LaunchConfiguration(32, 0, early, arena);
        var launch = configuration.of(1, 1, 1, 0);
        var error =
            assertThrows(
                InferenceException.class, () -> DriverCalls.launch(launch, 1, MemorySegment.NULL));
        assertTrue(
            String.valueOf(error.getMessage()).contains("INVALID_HANDLE"), error.getMessage());
      }
    }
  }
}
