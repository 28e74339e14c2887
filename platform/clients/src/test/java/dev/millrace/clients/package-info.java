/** Clients that other people made, against a server in a process of its own. */
@NullMarked
package dev.millrace.clients;

import org.jspecify.annotations.NullMarked;
