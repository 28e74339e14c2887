/** What the server measures, in Prometheus' text format. */
@NullMarked
package dev.millrace.server.metrics;

import org.jspecify.annotations.NullMarked;
