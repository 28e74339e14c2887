/** What can be set, by file or by flag, and how everything wrong with it is found at once. */
@NullMarked
package dev.millrace.server.config;

import org.jspecify.annotations.NullMarked;
