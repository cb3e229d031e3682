"""Pages of what comes in: files, spreadsheets, and what is to be decided on either."""
