"""Transfers of records to other archives."""
