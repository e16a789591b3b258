"""Text log to alerts: an ordinary application, written against the public interface alone."""
