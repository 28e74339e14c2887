package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * What a hub can be asked, each question once. Any thread.
 *
 * <p>Source: the HTTP interface of the Hugging Face Hub, as Python's huggingface_hub uses it.
 */
final class HubClient implements AutoCloseable {
  private static final String LINKED_ETAG = "X-Linked-Etag";
  private static final String LINKED_SIZE = "X-Linked-Size";
  private static final long LARGEST_LISTING = 64 << 20;
  private static final Pattern ETAG = Pattern.compile("(?:W/)?\"?([0-9A-Za-z][\\w.=+-]{0,180})\"?");
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");
  private static final int WHOLE = 200;
  private static final int PART = 206;
  private static final int NO_SUCH_PART = 416;

  private final HubSettings settings;
  private final HubHttp http;
  private final HubErrors errors;

  HubClient(HubSettings settings) {
    this.settings = settings;
    this.http = new HubHttp(settings);
    this.errors = new HubErrors(settings);
  }

  RepositoryListing list(HubReference asked) throws IOException, InterruptedException {
    String revision = URLEncoder.encode(asked.revision(), StandardCharsets.UTF_8);
    var uri =
        URI.create(
            "%s/api/models/%s/revision/%s"
                .formatted(settings.endpoint(), asked.repository(), revision));
    var exchange =
        new HubHttp.Exchange<>(
            HttpRequest.Builder::GET,
            BodyHandlers.limiting(BodyHandlers.ofByteArray(), LARGEST_LISTING),
            () -> 0);
    var response = http.send(uri, exchange, _ -> false);
    errors.check(response, asked, "");
    return RepositoryListing.parse(response.body(), settings.endpoint().toString());
  }

  /** Name and size of a file's content. */
  RemoteFile describe(HubReference asked, String commit, String path)
      throws IOException, InterruptedException {
    var exchange =
        new HubHttp.Exchange<>(HttpRequest.Builder::HEAD, BodyHandlers.discarding(), () -> 0);
    var response =
        http.send(
            address(asked, commit, path),
            exchange,
            answer -> answer.headers().firstValue(LINKED_ETAG).isPresent());
    var headers = response.headers();
    if (headers.firstValue(LINKED_ETAG).isEmpty()) {
      errors.check(response, asked, path);
    }
    String etag = headers.firstValue(LINKED_ETAG).or(() -> headers.firstValue("ETag")).orElse("");
    String size =
        headers.firstValue(LINKED_SIZE).or(() -> headers.firstValue("Content-Length")).orElse("");
    var name = ETAG.matcher(etag);
    if (!name.matches() || !size.matches("\\d{1,18}")) {
      throw wrong(
          "%s describes %s of %s with ETag \"%s\" and length \"%s\", of which a file cannot be known"
              .formatted(settings.endpoint(), path, asked, etag, size));
    }
    return new RemoteFile(path, name.group(1), Long.parseLong(size));
  }

  /**
   * Fetches a part of a file, or all of it.
   *
   * @param whole whether the file is asked for without naming the part
   * @throws RangesIgnored if the server does not serve parts
   */
  void fetch(HubReference asked, String commit, RemoteFile file, boolean whole, RangeWriter writer)
      throws IOException, InterruptedException {
    Span span = writer.rest();
    var exchange =
        new HubHttp.Exchange<Void>(
            request ->
                whole
                    ? request.GET()
                    : request.header("Range", "bytes=" + span.start() + "-" + (span.end() - 1)),
            head -> accept(head, file, whole, span, writer),
            writer::position);
    var response = http.send(address(asked, commit, file.path()), exchange, _ -> false);
    if (response.statusCode() == NO_SUCH_PART) {
      throw wrong(
          "%s says that %s of %s has %,d bytes, but has no bytes from %,d on"
              .formatted(settings.endpoint(), file.path(), asked, file.size(), span.start()));
    }
    errors.check(response, asked, file.path());
  }

  private static HttpResponse.BodySubscriber<Void> accept(
      HttpResponse.ResponseInfo head,
      RemoteFile file,
      boolean whole,
      Span span,
      RangeWriter writer) {
    int status = head.statusCode();
    if (status >= 300) {
      return BodySubscribers.discarding();
    }
    if (status == WHOLE && !whole) {
      return new Refusal(new RangesIgnored());
    }
    OptionalLong size;
    if (status == WHOLE) {
      size = head.headers().firstValueAsLong("Content-Length");
    } else {
      var range = CONTENT_RANGE.matcher(head.headers().firstValue("Content-Range").orElse(""));
      if (status != PART || !range.matches() || Long.parseLong(range.group(1)) != span.start()) {
        return new Refusal(new TransientFailure("another part came than was asked for"));
      }
      String total = range.group(3);
      size = total.equals("*") ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(total));
    }
    if (size.isPresent() && size.getAsLong() != file.size()) {
      return new Refusal(
          wrong(
              "the hub says that %s has %,d bytes, but %,d are sent"
                  .formatted(file.path(), file.size(), size.getAsLong())));
    }
    return writer;
  }

  private URI address(HubReference asked, String commit, String path) {
    try {
      String encoded = new URI(null, null, "/" + path, null).toASCIIString();
      return URI.create(
          "%s/%s/resolve/%s%s".formatted(settings.endpoint(), asked.repository(), commit, encoded));
    } catch (URISyntaxException e) {
      throw wrong("a file is called \"" + path + "\", which no address can be made of");
    }
  }

  private static InferenceException wrong(String message) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, message);
  }

  @Override
  public void close() {
    http.close();
  }
}
