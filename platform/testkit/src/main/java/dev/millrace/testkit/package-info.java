/** Contracts: test classes by which a plugin proves itself, and what they are made of. */
@NullMarked
package dev.millrace.testkit;

import org.jspecify.annotations.NullMarked;
