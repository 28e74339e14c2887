package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

/** The measurement of products does measure, on the simulation. */
class BlasBenchTest {
  @Test
  void everyShapeIsMeasuredAndChecked() throws Exception {
    SimulatedBlas.use();
    var json = new ObjectMapper().createArrayNode();
    var said = new ArrayList<String>();
    new BlasBench(json, said::add, () -> true).run();
    assertEquals(6, json.size(), said::toString);
    json.forEach(line -> assertTrue(line.get("us").asDouble() > 0, line::toString));
    SimulatedDriver.requireEmpty();
  }
}
