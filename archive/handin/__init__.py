"""Papers handed in by batch: listed by a clerk, checked by an archivist, signed by both."""
