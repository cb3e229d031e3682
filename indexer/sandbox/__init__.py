"""A fork server that parses hostile files apart, under limits."""
