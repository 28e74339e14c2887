/** Memory of the system's: mapped files, what becomes of them meanwhile, and fresh pages. */
@NullMarked
package dev.millrace.engine.mapping;

import org.jspecify.annotations.NullMarked;
