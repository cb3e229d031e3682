"""The only place that knows all rooms."""

import atexit
import gc

gc.set_threshold(50_000, 20, 20)
"""Thousands of classes are loaded at a start: a look for garbage at each 700 objects made it a fifth longer."""

atexit.register(gc.freeze)
"""A process at its end looked through all that it had loaded three times for garbage: that took a second."""
