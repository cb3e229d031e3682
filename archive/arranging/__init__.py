"""Arranging dossiers, item by item or many at once."""
