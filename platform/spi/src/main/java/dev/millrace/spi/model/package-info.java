/**
 * What a model family is given (configuration, weights) and what it returns (a recorded forward
 * pass).
 */
@NullMarked
package dev.millrace.spi.model;

import org.jspecify.annotations.NullMarked;
