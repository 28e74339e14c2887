package dev.millrace.server.serving;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import java.io.IOException;

/**
 * Lets a request keep the model it began with until its answer is written, a streamed one included,
 * even if another model takes the place meanwhile.
 */
public final class ModelHolding implements Filter {
  private static final String HOLD = ModelHolding.class.getName();

  private final ModelSlot slot;

  public ModelHolding(ModelSlot slot) {
    this.slot = slot;
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    try (var hold = slot.hold()) {
      request.setAttribute(HOLD, hold);
      chain.doFilter(request, response);
    }
  }

  /** The request's model. */
  public static ServedModel model(ServletRequest request) {
    return ((ModelSlot.Hold) request.getAttribute(HOLD)).model();
  }
}
