"""Bytes, and proof that they are still right."""
