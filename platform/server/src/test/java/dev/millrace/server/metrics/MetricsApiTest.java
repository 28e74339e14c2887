package dev.millrace.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.server.TestServer;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class MetricsApiTest {
  private static final TestServer SERVER = TestServer.start(Map.of());

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  /** Values by name and labels. */
  private static Map<String, Double> scrape() {
    return SERVER
        .http()
        .get("/metrics")
        .text()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .collect(
            Collectors.toMap(
                line -> line.substring(0, line.lastIndexOf(' ')),
                line -> Double.valueOf(line.substring(line.lastIndexOf(' ')))));
  }

  @Test
  void countersMoveWithRequests() {
    var label = "{model_name=\"" + TestServer.MODEL + "\"}";
    var length =
        "vllm:request_success_total{finished_reason=\"length\",model_name=\"%s\"}"
            .formatted(TestServer.MODEL);
    var before = scrape();
    for (var name :
        new String[] {
          "vllm:num_requests_running",
          "vllm:num_requests_waiting",
          "vllm:kv_cache_usage_perc",
          "millrace:kv_blocks_used",
          "millrace:kv_blocks_reserved",
          "vllm:num_preemptions_total",
          "millrace:refused_plans_total"
        }) {
      assertEquals(0.0, before.get(name + label), name);
    }
    var body = "{\"prompt\":[5,6,7],\"max_tokens\":4,\"ignore_eos\":true}";
    assertEquals(200, SERVER.http().complete(body).status());
    var after = scrape();
    assertTrue(after.getOrDefault("millrace:kv_blocks" + label, 0.0) > 0);
    assertEquals(3, grown("vllm:prompt_tokens_total" + label, before, after));
    assertEquals(4, grown("vllm:generation_tokens_total" + label, before, after));
    assertEquals(1, grown(length, before, after));
    assertEquals(1, grown("vllm:time_to_first_token_seconds_count" + label, before, after));
    assertEquals(3, grown("vllm:inter_token_latency_seconds_count" + label, before, after));
    assertEquals(1, grown("vllm:e2e_request_latency_seconds_count" + label, before, after));
    assertEquals(1, grown("vllm:request_queue_time_seconds_count" + label, before, after));
    assertEquals(3, grown("vllm:request_prompt_tokens_sum" + label, before, after));
    assertEquals(4, grown("vllm:request_generation_tokens_sum" + label, before, after));
    assertEquals(3, grown("vllm:prefix_cache_queries_total" + label, before, after));
    assertEquals(0, grown("vllm:prefix_cache_hits_total" + label, before, after));
    assertTrue(grown("vllm:iteration_tokens_total_count" + label, before, after) >= 4);
  }

  @Test
  void cachedTokensAreCounted() {
    var label = "{model_name=\"" + TestServer.MODEL + "\"}";
    var body = "{\"prompt\":[%s5],\"max_tokens\":1}".formatted("9,".repeat(40));
    assertEquals(200, SERVER.http().complete(body).status());
    var before = scrape();
    assertEquals(200, SERVER.http().complete(body).status());
    var after = scrape();
    assertEquals(41, grown("vllm:prefix_cache_queries_total" + label, before, after));
    assertEquals(32, grown("vllm:prefix_cache_hits_total" + label, before, after));
  }

  private static double grown(String name, Map<String, Double> before, Map<String, Double> after) {
    assertTrue(before.containsKey(name), name + " of " + before.keySet());
    return after.getOrDefault(name, 0.0) - before.getOrDefault(name, 0.0);
  }
}
