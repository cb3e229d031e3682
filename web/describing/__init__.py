"""The form that describes a record, and what the pages of one record share."""
