/** The recorded program of a model and the devices that replay it. */
@NullMarked
package dev.millrace.engine.device;

import org.jspecify.annotations.NullMarked;
