/** What schedulers see, the rules their plans must keep, and the plan used when one does not. */
@NullMarked
package dev.millrace.engine.schedule;

import org.jspecify.annotations.NullMarked;
