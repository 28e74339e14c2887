/** Measures the engine on this machine, without HTTP, beside what the machine could do at best. */
@NullMarked
package dev.millrace.server.bench;

import org.jspecify.annotations.NullMarked;
