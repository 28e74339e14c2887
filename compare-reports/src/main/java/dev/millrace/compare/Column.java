package dev.millrace.compare;

import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.LoadResult;
import java.util.List;
import java.util.OptionalLong;

/**
 * What was measured with one scheduler: the calls of both runs, what came of them, and the server's
 * peak resident memory.
 */
record Column(
    String scheduler,
    List<CompletionCall> calls,
    LoadResult closed,
    LoadResult open,
    OptionalLong peakResidentBytes) {
  long errors() {
    return closed.failed() + open.failed();
  }
}
