"""Making an archive, its secrets and its servers."""
