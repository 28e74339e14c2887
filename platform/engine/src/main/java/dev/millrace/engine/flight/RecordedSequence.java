package dev.millrace.engine.flight;

import dev.millrace.engine.schedule.FrozenSequence;
import dev.millrace.spi.schedule.SequenceView;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** What is known of a sequence from step to step: what never changes of it, and what does. */
final class RecordedSequence {
  private final SequenceView first;
  int total;
  int computed;
  int preemptions;
  int held;

  /** Blocks it would free; while it waits, none. */
  int freed;

  /** A sequence of which nothing is cached. */
  RecordedSequence(SequenceView sequence) {
    first = FrozenSequence.of(sequence, sequence.total(), 0, sequence.preemptions(), 0, 0);
    total = sequence.total();
    preemptions = sequence.preemptions();
  }

  private RecordedSequence(FrozenSequence sequence) {
    first = sequence;
    total = sequence.total();
    computed = sequence.computed();
    preemptions = sequence.preemptions();
    held = sequence.held();
  }

  long id() {
    return first.id();
  }

  /** The sequence as it is now. */
  FrozenSequence freeze() {
    return FrozenSequence.of(first, total, computed, preemptions, held, freed);
  }

  void write(StringBuilder out) {
    out.append(first.id()).append(',').append(first.request()).append(',');
    out.append(computed).append(',').append(total).append(',').append(first.maxTotal());
    out.append(',').append(first.priority()).append(',').append(first.arrivalNanos());
    out.append(',').append(first.deadlineNanos()).append(',').append(preemptions).append(',');
    out.append(held).append(',').append(URLEncoder.encode(first.tenant(), StandardCharsets.UTF_8));
  }

  /** Reads what {@link #write} wrote. */
  static RecordedSequence read(String text) {
    var fields = text.split(",", -1);
    return new RecordedSequence(
        new FrozenSequence(
            Long.parseLong(fields[0]),
            Long.parseLong(fields[1]),
            Integer.parseInt(fields[2]),
            Integer.parseInt(fields[3]),
            Integer.parseInt(fields[4]),
            Integer.parseInt(fields[5]),
            URLDecoder.decode(fields[10], StandardCharsets.UTF_8),
            Long.parseLong(fields[6]),
            Long.parseLong(fields[7]),
            Integer.parseInt(fields[8]),
            Integer.parseInt(fields[9]),
            0));
  }
}
