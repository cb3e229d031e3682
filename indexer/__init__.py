"""From bytes to findable."""
