"""Write lines to a file or a stream that may hang."""
