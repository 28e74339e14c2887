package dev.millrace.cuda;

/** Marks in a stream between which it works at a step, for measurements. Engine thread. */
interface StepMarks {
  StepMarks NONE =
      new StepMarks() {
        @Override
        public void begin(int rows, Handles.Stream stream) {}

        @Override
        public void end(Handles.Stream stream) {}
      };

  /** The kernels of a step with so many rows follow. */
  void begin(int rows, Handles.Stream stream);

  /** What the step has put into the stream by now ends here; said last when that is all. */
  void end(Handles.Stream stream);
}
