package dev.millrace.engine.device.cpu;

import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.sample.Sampler;
import dev.millrace.spi.InferenceException;
import org.jspecify.annotations.Nullable;

/**
 * Draws tokens of rows of logits, as many rows at a time as there are workers: of a vocabulary of
 * 50,000 a draw takes up to a millisecond. Engine thread.
 */
final class RowDraws {
  private final Workers workers;
  private final @Nullable Room[] rooms;

  /** What one worker needs. */
  private record Room(Sampler sampler, float[] logits) {}

  RowDraws(Workers workers) {
    this.workers = workers;
    this.rooms = new Room[workers.count()];
  }

  /**
   * Draws what is asked for. A row that no token can be drawn of stays undrawn.
   *
   * @param logits of every pick
   */
  void run(TokenDraws draws, Rows logits) {
    workers.run(draws.count(), (i, worker) -> draw(draws, i, logits, room(worker, logits.width())));
  }

  private Room room(int worker, int vocabulary) {
    var room = rooms[worker];
    if (room == null) {
      room = new Room(new Sampler(vocabulary), new float[vocabulary]);
      rooms[worker] = room;
    }
    return room;
  }

  private static void draw(TokenDraws draws, int i, Rows logits, Room room) {
    var draw = draws.draw(i);
    logits.read(draws.pick(i), 0, room.logits, room.logits.length);
    try {
      draws.drawn(i, room.sampler.draw(room.logits, draw.params(), draw.index()));
    } catch (InferenceException _) {
      // the engine will look at the row itself, and say what is wrong
    }
  }
}
