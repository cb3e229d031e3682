"""The next item is made while this one is used: what makes it waits for the disk, what uses it for a server."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

_T = TypeVar("_T")
_END: Final = object()


def ahead(items: Iterator[_T]) -> Generator[_T, None, None]:
    """Yield the items, each made by one other thread while the one before is used; no more than one is made ahead.

    What making one raises is raised where it would be yielded. Closed early, it waits for the one that is being made.
    """

    def make() -> _T | object:
        return next(items, _END)

    trail = copy_context()  # what is logged there is of the same job
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as hand:
        coming = hand.submit(trail.run, make)
        while (item := coming.result()) is not _END:
            coming = hand.submit(trail.run, make)
            yield item  # type: ignore[misc]  # what is no end is an item
