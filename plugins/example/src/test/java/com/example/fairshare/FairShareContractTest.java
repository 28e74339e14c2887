package com.example.fairshare;

import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.testkit.SchedulerContract;
import java.util.Map;

class FairShareContractTest extends SchedulerContract {
  @Override
  protected Scheduler create() {
    return new FairSharePlugin().create(Map.of());
  }
}
