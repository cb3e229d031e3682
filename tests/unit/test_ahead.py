"""One item is made while the one before is used."""

import threading
from collections.abc import Iterator

import pytest

from archive.trail import following, trail
from indexer.ahead import ahead

PATIENCE = 30


def test_the_next_is_made_while_one_is_used_and_no_more() -> None:
    made, second = [0], threading.Event()

    def items() -> Iterator[int]:
        for number in range(4):
            made[0] = number
            if number == 1:
                second.set()
            yield number

    used = ahead(items())
    assert next(used) == 0
    assert second.wait(PATIENCE)
    assert made == [1]
    assert list(used) == [1, 2, 3]


def test_what_making_one_raises_comes_at_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError(5)

    used = ahead(items())
    assert next(used) == 1
    with pytest.raises(OSError, match="5"):
        next(used)


def test_closed_early_it_waits_for_the_one_being_made() -> None:
    made, begun, allowed = [], threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 1
        begun.set()
        assert allowed.wait(PATIENCE)
        made.append(2)
        yield 2

    used = ahead(items())
    next(used)
    assert begun.wait(PATIENCE)
    closing = threading.Thread(target=used.close)
    closing.start()
    allowed.set()
    closing.join(PATIENCE)
    assert made == [2]


def test_what_is_made_belongs_to_the_job_that_asked() -> None:
    def items() -> Iterator[str | None]:
        for _ in range(3):
            yield trail().job

    with following(job="j-1"):
        assert list(ahead(items())) == ["j-1"] * 3
