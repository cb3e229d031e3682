"""Whether what is stored is still what came in: read by turns, told, mended."""
