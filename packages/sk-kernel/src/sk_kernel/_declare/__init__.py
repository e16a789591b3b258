"""What the decorators read of functions and classes, and note."""
