package dev.millrace.engine.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which slots of a program share a buffer: a slot needs one from the instruction that first touches
 * it to the last that does. A linear scan over the instructions, taking the narrowest free buffer
 * that fits.
 *
 * @param bufferOf buffer of each slot
 * @param widths numbers per row of each buffer
 */
public record SlotPlan(int[] bufferOf, int[] widths) {

  /** Plans the slots of a program. */
  public static SlotPlan of(Program program) {
    int slots = program.slotWidths().length;
    int[] lastUse = lastUses(program, slots);
    int[] bufferOf = new int[slots];
    Arrays.fill(bufferOf, -1);
    var widths = new ArrayList<Integer>();
    var free = new ArrayList<Integer>();
    if (program.input().width() > 0) {
      assign(program, program.input().slot(), bufferOf, widths, free);
    }
    for (int i = 0; i < program.instructions().size(); i++) {
      var values = program.instructions().get(i).values();
      for (var value : values) {
        if (bufferOf[value.slot()] < 0) {
          assign(program, value.slot(), bufferOf, widths, free);
        }
      }
      for (var value : values) {
        int buffer = bufferOf[value.slot()];
        if (lastUse[value.slot()] == i && !free.contains(buffer)) {
          free.add(buffer);
        }
      }
    }
    return new SlotPlan(bufferOf, widths.stream().mapToInt(Integer::intValue).toArray());
  }

  private static int[] lastUses(Program program, int slots) {
    int[] lastUse = new int[slots];
    for (int i = 0; i < program.instructions().size(); i++) {
      for (var value : program.instructions().get(i).values()) {
        lastUse[value.slot()] = i;
      }
    }
    lastUse[program.output().slot()] = Integer.MAX_VALUE;
    return lastUse;
  }

  private static void assign(
      Program program, int slot, int[] bufferOf, List<Integer> widths, List<Integer> free) {
    int width = program.slotWidths()[slot];
    int best = -1;
    for (int buffer : free) {
      if (widths.get(buffer) >= width && (best < 0 || widths.get(buffer) < widths.get(best))) {
        best = buffer;
      }
    }
    if (best < 0) {
      widths.add(width);
      best = widths.size() - 1;
    } else {
      free.remove(Integer.valueOf(best));
    }
    bufferOf[slot] = best;
  }
}
