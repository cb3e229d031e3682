"""Objects in a bucket: the store, its accounts, and its setting up."""
