"""Audits and inspections, planned by period, and the follow-up of what they find."""
