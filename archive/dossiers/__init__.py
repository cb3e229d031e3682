"""What a dossier holds, in which order, and the level that it has from it."""
