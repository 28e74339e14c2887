/** The encodings of weights that Millrace reads or makes by itself. */
@NullMarked
package dev.millrace.quantizers;

import org.jspecify.annotations.NullMarked;
