"""The thread that chains the log's entries as they come."""

import logging
import threading

from archive.errors import ReadOnly, Unavailable
from runtime.wiring.parts import Parts

log = logging.getLogger(__name__)

SEAL_EVERY = 0.5
"""Seconds between two looks for unsealed entries: a committed entry is sealed within a second."""


def keep_sealing(parts: Parts, stop: threading.Event) -> threading.Thread:
    """Start the thread that seals the log until ``stop`` is set."""

    def loop() -> None:
        while not stop.wait(SEAL_EVERY):
            try:
                parts.sealer.seal_all()
            except ReadOnly:
                log.info("the house is closed to writers; sealing waits")
            except Unavailable as error:
                log.warning("the %s is busy or away; sealing is tried again", error.facts.get("part", "database"))
            except Exception:
                log.exception("sealing failed; it is tried again")

    thread = threading.Thread(target=loop, name="sealer", daemon=True)
    thread.start()
    return thread
