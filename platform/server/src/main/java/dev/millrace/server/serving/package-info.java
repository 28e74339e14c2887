/** The model in service, from before it is loaded until after it is gone, and its changes. */
@NullMarked
package dev.millrace.server.serving;

import org.jspecify.annotations.NullMarked;
