"""HTTP - parse, one call, present."""
