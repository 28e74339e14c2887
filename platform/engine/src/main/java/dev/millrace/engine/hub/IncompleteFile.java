package dev.millrace.engine.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A blob that is being fetched, in any order, by several threads. Behind the place for its own
 * bytes the file has one byte for each piece of them, 1 if that piece is there; so whoever opens it
 * after a crash knows what is missing. A file of another length is begun anew. What a power failure
 * does to it shows when the whole is hashed.
 */
final class IncompleteFile implements AutoCloseable {
  private static final byte DONE = 1;

  private final Path path;
  private final FileChannel channel;
  private final long size;
  private final long pieceSize;
  private final byte[] pieces;

  private IncompleteFile(Path path, FileChannel channel, long size, long pieceSize, byte[] pieces) {
    this.path = path;
    this.channel = channel;
    this.size = size;
    this.pieceSize = pieceSize;
    this.pieces = pieces;
  }

  static IncompleteFile open(Path path, long size, long pieceSize) throws IOException {
    var channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      var pieces = new byte[Math.toIntExact(Math.ceilDiv(size, pieceSize))];
      var file = new IncompleteFile(path, channel, size, pieceSize, pieces);
      if (channel.size() == size + pieces.length) {
        file.readPieces();
      } else {
        file.reset();
      }
      return file;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** How much of a blob is there already; only looks, whoever may be writing. */
  static long present(Path path, long size, long pieceSize) throws IOException {
    if (!Files.exists(path)) {
      return 0;
    }
    try (var channel = FileChannel.open(path)) {
      var pieces = new byte[Math.toIntExact(Math.ceilDiv(size, pieceSize))];
      if (channel.size() != size + pieces.length) {
        return 0;
      }
      var file = new IncompleteFile(path, channel, size, pieceSize, pieces);
      file.readPieces();
      return file.present();
    }
  }

  /** How much is there, in whole pieces. */
  long present() {
    return size - missing(pieceSize).stream().mapToLong(Span::length).sum();
  }

  private void readPieces() throws IOException {
    var buffer = ByteBuffer.wrap(pieces);
    while (buffer.hasRemaining() && channel.read(buffer, size + buffer.position()) >= 0) {
      // until all are read
    }
  }

  /** Forgets everything that is there. */
  synchronized void reset() throws IOException {
    Arrays.fill(pieces, (byte) 0);
    channel.truncate(0);
    write(ByteBuffer.wrap(pieces), size);
  }

  long size() {
    return size;
  }

  /** What is not there, in parts of whole pieces, each at most this long or else one piece. */
  synchronized List<Span> missing(long longest) {
    long most = Math.max(1, longest / pieceSize);
    var spans = new ArrayList<Span>();
    int start = 0;
    for (int i = 0; i <= pieces.length; i++) {
      boolean wanted = i < pieces.length && pieces[i] != DONE;
      if (i > start && (!wanted || i - start == most)) {
        spans.add(new Span(start * pieceSize, Math.min(size, i * pieceSize)));
        start = i;
      }
      if (!wanted) {
        start = i + 1;
      }
    }
    return spans;
  }

  /** Writes all that remains in the buffer. Any thread. */
  void write(ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  /**
   * Notes which pieces are whole now.
   *
   * @param written what has been written without a gap; begins at the border of a piece
   * @param before how far it was when this was last called
   */
  synchronized void note(Span written, long before) throws IOException {
    int first = (int) (before / pieceSize);
    int end = (int) (written.end() == size ? pieces.length : written.end() / pieceSize);
    if (first < end) {
      Arrays.fill(pieces, first, end, DONE);
      write(ByteBuffer.wrap(pieces, first, end - first), size + first);
    }
  }

  /** Cuts the notes off and puts what is left in its place, whole or not at all. */
  void moveTo(Path blob) throws IOException {
    channel.truncate(size);
    channel.force(true);
    Files.move(path, blob, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
