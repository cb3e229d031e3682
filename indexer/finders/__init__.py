"""Finders: what a document's words propose for the fields of its record, each with its place. Pure functions."""
