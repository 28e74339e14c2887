package dev.millrace.engine.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoadProgressTest {
  private final List<String> said = new ArrayList<>();
  private long now = Long.MAX_VALUE - 5; // the clock may wrap

  private void after(long milliseconds) {
    now += TimeUnit.MILLISECONDS.toNanos(milliseconds);
  }

  @Test
  void tellsOnceASecondWhatTakesLongerThanOne() {
    var progress = new LoadProgress(() -> now, said::add);
    progress.at(1, 9);
    after(999);
    progress.at(2, 9);
    assertEquals(List.of(), said);
    after(1);
    progress.at(3, 9);
    progress.at(4, 9);
    after(2500);
    progress.at(8, 9);
    assertEquals(
        List.of("3 of 9 tensors loaded after 1 s", "8 of 9 tensors loaded after 3 s"), said);
  }
}
