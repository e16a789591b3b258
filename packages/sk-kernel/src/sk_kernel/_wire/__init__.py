"""Encoding of batches, and decoding."""
