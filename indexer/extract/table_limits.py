"""What is read of a spreadsheet whose rows are brought in. Needs no parser."""

MOST_ROWS = 5_000
MOST_COLUMNS = 200
MOST_SHEETS = 20
LONGEST_CELL = 20_000
MOST_LETTERS = 4_000_000
"""Letters of all cells together: more is not answered by a fork."""
