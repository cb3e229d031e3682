"""The forms of the trade, filled in and printed: a form is a template, a query and its sheets."""
