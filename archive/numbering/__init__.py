"""Registration numbers, archive numbers and reference numbers, by rule."""
