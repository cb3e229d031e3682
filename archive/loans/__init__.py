"""Loans: asked for, approved, issued, extended, returned."""
