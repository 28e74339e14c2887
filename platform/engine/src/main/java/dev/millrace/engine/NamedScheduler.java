package dev.millrace.engine;

import dev.millrace.spi.schedule.Scheduler;

/**
 * A scheduler and what logs, recordings and statistics call it.
 *
 * @param name the plugin's
 */
public record NamedScheduler(String name, Scheduler scheduler) {}
