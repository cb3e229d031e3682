"""Classification schemes as data."""
