"""The way into custody: steps, filing one or many, and until when."""
