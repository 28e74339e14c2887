/** Measures one scheduler against another on the same server and reports the figures. */
@NullMarked
package dev.millrace.compare;

import org.jspecify.annotations.NullMarked;
