/** Models of a hub: fetched when they are to be served, and cared for by a command of their own. */
@NullMarked
package dev.millrace.server.models;

import org.jspecify.annotations.NullMarked;
