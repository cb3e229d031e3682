"""Papers that a dossier must have: templates as data, what is there and missing, and the clocks that run beside it."""
