/** The admin port: what is loaded, and changes to it while requests run. */
@NullMarked
package dev.millrace.server.admin;

import org.jspecify.annotations.NullMarked;
