package dev.millrace.cuda;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.stream.Stream;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/**
 * What part of the time the card works at steps, by its own events, while so many steps of so many
 * rows follow one another. Made, asked and closed on entered threads.
 */
final class BusyTime implements StepMarks, AutoCloseable {
  /** Steps over which it is measured. */
  static final int STEPS = SuitePart.simulated() ? 3 : 200;

  private final int rows;
  private final CUevent[] begins = events();
  private final CUevent[] ends = events();
  private int steps;
  private boolean open;

  /** Waits for the first steps of so many rows. */
  BusyTime(int rows) {
    this.rows = rows;
  }

  private static CUevent[] events() {
    return Stream.generate(BusyTime::event).limit(STEPS).toArray(CUevent[]::new);
  }

  private static CUevent event() {
    var event = new CUevent();
    CudaResult.check(JCudaDriver.cuEventCreate(event, 0), "cuEventCreate");
    return event;
  }

  @Override
  public void begin(int rowsOfStep, Handles.Stream stream) {
    if (steps < STEPS) {
      steps = rowsOfStep == rows ? steps + 1 : 0;
      open = steps > 0;
      record(begins, stream);
    } else {
      open = false;
    }
  }

  @Override
  public void end(Handles.Stream stream) {
    record(ends, stream);
  }

  private void record(CUevent[] events, Handles.Stream stream) {
    if (open) {
      CudaResult.check(JCudaDriver.cuEventRecord(events[steps - 1], stream), "cuEventRecord");
    }
  }

  /** Says it in a line, and notes it, if there were enough steps. */
  String note(ObjectNode json) {
    if (steps < STEPS) {
      return "GPU busy at batch %d: not measured, there were no %d steps".formatted(rows, STEPS);
    }
    double busy = 0;
    for (int i = 0; i < STEPS; i++) {
      busy += milliseconds(begins[i], ends[i]);
    }
    double share = busy / milliseconds(begins[0], ends[STEPS - 1]);
    json.put("steps", STEPS).put("GPU busy", share);
    return "GPU busy at batch %d: %.1f %% of the time of %d steps"
        .formatted(rows, 100 * share, STEPS);
  }

  private static double milliseconds(CUevent from, CUevent to) {
    float[] elapsed = new float[1];
    CudaResult.check(JCudaDriver.cuEventElapsedTime(elapsed, from, to), "cuEventElapsedTime");
    return elapsed[0];
  }

  @Override
  public void close() {
    Stream.of(begins, ends).flatMap(Stream::of).forEach(JCudaDriver::cuEventDestroy);
  }
}
