"""Jobs that need more than one room."""
