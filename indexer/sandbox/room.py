"""How much memory files may take that are read at once: small ones share it, a large one has it to itself."""

import contextlib
import threading
from collections.abc import Iterator

LIGHT_BYTES = 16_000_000
"""A larger file is held in memory, and read, while no other large one is."""

LIGHT_MEMORY = 256 * 1024 * 1024
"""Bytes that a fork gets for a file that is not large. One that needs more is read again, by itself, with all."""


class Room:
    """Places for ``parallel`` forks, of which one at a time may take all the memory that a fork is allowed.

    A place is asked for last, and given back before the turn of the large ones is waited for: nobody waits for ever.
    """

    def __init__(self, parallel: int) -> None:
        self._shared = parallel > 1
        self._places = threading.BoundedSemaphore(parallel)
        self._turn = threading.RLock()

    def is_light(self, size: int) -> bool:
        """Whether a file of ``size`` bytes is first read with little memory."""
        return self._shared and size <= LIGHT_BYTES

    @contextlib.contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold a file of ``size`` bytes inside the block: a large one waits for its turn before it is taken."""
        with contextlib.nullcontext() if self.is_light(size) else self._turn:
            yield

    @contextlib.contextmanager
    def place(self, *, light: bool) -> Iterator[None]:
        """Have a fork at work inside the block."""
        with contextlib.nullcontext() if light else self._turn, self._places:
            yield
