"""The outbox: jobs written with the change they follow from, run under a lease."""
