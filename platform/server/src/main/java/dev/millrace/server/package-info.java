/** The program: command line, start, health and shutdown of one served model. */
@NullMarked
package dev.millrace.server;

import org.jspecify.annotations.NullMarked;
