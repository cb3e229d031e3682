"""Pages that show and change records, one by one and many at once."""
