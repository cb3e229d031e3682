"""The processes of an archive: pages, workers, the tree of both, and how they say what goes on."""
