package dev.millrace.loadtest;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What has come of one answer so far, and the judgement on it once it is complete. */
final class Transcript {
  private long firstContent;
  private long lastContent;
  private long finish;
  private int contentEvents;
  private long[] gaps = new long[32];
  private final StringBuilder text = new StringBuilder();
  private boolean finished;
  private CompletionChunk.@Nullable Usage usage;

  void add(CompletionChunk chunk, long stamp) {
    if (!chunk.text().isEmpty()) {
      if (contentEvents == 0) {
        firstContent = stamp;
      } else {
        if (contentEvents > gaps.length) {
          gaps = Arrays.copyOf(gaps, gaps.length * 2);
        }
        gaps[contentEvents - 1] = stamp - lastContent;
      }
      lastContent = stamp;
      text.append(chunk.text());
      contentEvents++;
    }
    if (chunk.finishes()) {
      finished = true;
      finish = stamp;
    }
    if (chunk.usage() != null) {
      usage = chunk.usage();
    }
  }

  /**
   * The outcome, given when {@code [DONE]} came. An answer whose tokens have no text at all counts
   * its closing chunk as the first content: that is when a reader learns of it.
   */
  Outcome outcome(CompletionCall call, long scheduled, long sent, long done) {
    if (!finished) {
      return new Outcome.Failed(
          scheduled, sent, done, FailureKind.BROKEN_STREAM, "[DONE] came before a finish_reason");
    }
    String complaint = complaint(call);
    if (complaint != null) {
      return new Outcome.Failed(scheduled, sent, done, FailureKind.WRONG_TOKEN_COUNT, complaint);
    }
    return new Outcome.Completed(
        scheduled,
        sent,
        contentEvents == 0 ? finish : firstContent,
        contentEvents == 0 ? finish : lastContent,
        done,
        Arrays.copyOf(gaps, Math.max(0, contentEvents - 1)),
        call.prompt().length,
        call.outputTokens(),
        text.toString());
  }

  /**
   * Compares what was asked, what usage says and what was seen. An event may carry several tokens
   * but no token makes two events, so more events than tokens prove a false count.
   */
  private @Nullable String complaint(CompletionCall call) {
    if (usage == null) {
      return "the stream brought no usage";
    }
    if (usage.completionTokens() != call.outputTokens()) {
      return "asked for " + call.outputTokens() + " tokens, usage says " + usage.completionTokens();
    }
    if (usage.promptTokens() != call.prompt().length) {
      return "sent a prompt of "
          + call.prompt().length
          + " tokens, usage says "
          + usage.promptTokens();
    }
    if (contentEvents > usage.completionTokens()) {
      return contentEvents + " events carried text, usage says " + usage.completionTokens();
    }
    return null;
  }
}
