"""The only place that knows all rooms."""

import gc

gc.set_threshold(50_000, 20, 20)
"""Thousands of classes are loaded at a start: a look for garbage at each 700 objects made it a fifth longer."""
