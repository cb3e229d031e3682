"""Who may do what: conditions, reach, and one table of rules."""
