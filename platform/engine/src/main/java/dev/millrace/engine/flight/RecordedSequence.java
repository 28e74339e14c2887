package dev.millrace.engine.flight;

import dev.millrace.engine.schedule.BlockCounts;
import dev.millrace.spi.schedule.SequenceView;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** A sequence as a scheduler saw it, by value. */
final class RecordedSequence implements SequenceView, BlockCounts {
  private final long id;
  private final long request;
  private final int maxTotal;
  private final int priority;
  private final String tenant;
  private final long arrivalNanos;
  private final long deadlineNanos;
  int total;
  int computed;
  int preemptions;
  int held;

  /** Blocks it would free; while it waits, none. */
  int freed;

  /** The same sequence, with nothing cached of it. */
  RecordedSequence(SequenceView other) {
    id = other.id();
    request = other.request();
    maxTotal = other.maxTotal();
    priority = other.priority();
    tenant = other.tenant();
    arrivalNanos = other.arrivalNanos();
    deadlineNanos = other.deadlineNanos();
    total = other.total();
    preemptions = other.preemptions();
  }

  private RecordedSequence(String[] fields) {
    id = Long.parseLong(fields[0]);
    request = Long.parseLong(fields[1]);
    maxTotal = Integer.parseInt(fields[2]);
    priority = Integer.parseInt(fields[3]);
    arrivalNanos = Long.parseLong(fields[4]);
    deadlineNanos = Long.parseLong(fields[5]);
    total = Integer.parseInt(fields[6]);
    computed = Integer.parseInt(fields[7]);
    preemptions = Integer.parseInt(fields[8]);
    held = Integer.parseInt(fields[9]);
    tenant = URLDecoder.decode(fields[10], StandardCharsets.UTF_8);
  }

  /** Reads what {@link #write} wrote. */
  static RecordedSequence read(String text) {
    return new RecordedSequence(text.split(",", -1));
  }

  void write(StringBuilder out) {
    out.append(id).append(',').append(request).append(',').append(maxTotal).append(',');
    out.append(priority).append(',').append(arrivalNanos).append(',').append(deadlineNanos);
    out.append(',').append(total).append(',').append(computed).append(',').append(preemptions);
    out.append(',').append(held).append(',');
    out.append(tenant.isEmpty() ? "" : URLEncoder.encode(tenant, StandardCharsets.UTF_8));
  }

  /** One that does not change when this one does. */
  RecordedSequence copy() {
    var copy = new RecordedSequence(this);
    copy.computed = computed;
    copy.held = held;
    copy.freed = freed;
    return copy;
  }

  @Override
  public long id() {
    return id;
  }

  @Override
  public long request() {
    return request;
  }

  @Override
  public int computed() {
    return computed;
  }

  @Override
  public int total() {
    return total;
  }

  @Override
  public int maxTotal() {
    return maxTotal;
  }

  @Override
  public int priority() {
    return priority;
  }

  @Override
  public String tenant() {
    return tenant;
  }

  @Override
  public long arrivalNanos() {
    return arrivalNanos;
  }

  @Override
  public long deadlineNanos() {
    return deadlineNanos;
  }

  @Override
  public int preemptions() {
    return preemptions;
  }

  @Override
  public int heldBlocks(int blockSize) {
    return held;
  }

  @Override
  public int freedBlocks(int blockSize) {
    return freed;
  }
}
