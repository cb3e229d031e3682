"""Everything with a clock."""
