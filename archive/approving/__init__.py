"""Requests in several steps: routes as data, who decides, rule books of the house."""
