/** The contracts that models, quantizers, schedulers, devices and plugin jars must keep. */
@NullMarked
package dev.millrace.testkit;

import org.jspecify.annotations.NullMarked;
