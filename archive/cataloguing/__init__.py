"""Records and their descriptions: catalogued, shown, changed one by one or many at once, corrected."""
