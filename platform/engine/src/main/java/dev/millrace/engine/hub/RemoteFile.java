package dev.millrace.engine.hub;

/**
 * A file of a repository, as the hub describes it.
 *
 * @param path in the repository
 * @param etag what names its content, and its blob in the cache
 * @param size in bytes
 */
record RemoteFile(String path, String etag, long size) {}
