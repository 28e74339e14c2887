package dev.millrace.engine.mapping;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/**
 * What tells one content of a file from another.
 *
 * @param key which file it is, under whatever name; null where the system has no such thing
 */
record FileStamp(long size, FileTime modified, @Nullable Object key) {
  static FileStamp of(Path path) throws IOException {
    var attributes = Files.readAttributes(path, BasicFileAttributes.class);
    return new FileStamp(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
  }

  /** Whether the name now stands for another file; what was mapped of this one stays as it is. */
  boolean replacedBy(FileStamp now) {
    return key != null && !key.equals(now.key);
  }

  @Override
  public String toString() {
    return size + " bytes of " + modified;
  }
}
