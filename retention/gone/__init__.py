"""Destroyed means gone: carrying a destruction out, and proving that nothing is left."""
