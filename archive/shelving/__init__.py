"""Where papers lie: the tree of places, the copies of records, and putting the ones into the others."""
