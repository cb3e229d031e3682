"""Files of records: how they come in, are told apart, opened, and read again."""
