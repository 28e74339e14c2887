package dev.millrace.server.openai;

/**
 * A prompt to be continued.
 *
 * @param ids what the model reads
 * @param text what it was made of
 */
record Prompt(int[] ids, String text) {}
