"""Lines of text on their way to a file or a stream that may hang."""
