"""The demonstration archive."""
