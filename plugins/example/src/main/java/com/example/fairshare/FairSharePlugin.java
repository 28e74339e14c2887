package com.example.fairshare;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.Scheduler;
import java.util.Map;

/** Shares the machine among tenants, which requests name in their field {@code user}. */
public final class FairSharePlugin implements SchedulerPlugin {
  @Override
  public String name() {
    return "fair-share";
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    if (!settings.isEmpty()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "scheduler fair-share has no settings, and was given " + settings.keySet());
    }
    return view -> new FairShareStep(view).plan();
  }
}
