"""The interface for programs under ``/api/v1``: a token, JSON answers, and a description that is made from the code."""

DESCRIPTION = "/openapi.json"
"""Where it describes itself: the one path beside those below ``/api/``."""
