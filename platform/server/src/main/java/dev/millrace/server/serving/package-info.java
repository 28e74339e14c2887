/** The one model in service, from before it is loaded until after it is gone. */
@NullMarked
package dev.millrace.server.serving;

import org.jspecify.annotations.NullMarked;
