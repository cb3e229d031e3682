"""Reading an object over a line that breaks: what is gone on with, and when it is given up."""

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3 import HTTPResponse

from archive.errors import Unavailable
from storage.minio import objects
from storage.minio.client import TRIES
from storage.minio.objects import MinioStore

DATA = bytes(range(256)) * 4096  # 1 MB


class Falling(BytesIO):
    """Bytes after which nothing comes any more."""

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(size)

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size) or _silence()


def _silence() -> bytes:
    raise TimeoutError


class Line:
    """A client whose answers break off after so many bytes each, the last number again and again; 0: nothing comes.

    ``broken`` says by what: the line ends, or falls silent.
    """

    def __init__(self, *comes: int, broken: type[BytesIO] = BytesIO) -> None:
        self._comes = list(comes)
        self._broken = broken
        self.requests = 0

    def get_object(self, _bucket: str, _key: str, start: int, *_: int, **__: str) -> HTTPResponse:
        self.requests += 1
        comes = self._comes.pop(0) if len(self._comes) > 1 else self._comes[0]
        left = len(DATA) - start
        body = self._broken(DATA[start:][:comes]) if comes < left else BytesIO(DATA[start:])
        return HTTPResponse(body, {"content-length": str(left)}, preload_content=False, request_method="GET")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(objects, "time", SimpleNamespace(sleep=found.append))
    return found


def read(line: Any) -> list[bytes]:
    return list(MinioStore(line, line, "bucket").read("key", "version"))


@pytest.mark.parametrize("comes", [0, 5_000, 20_000])
def test_a_line_that_brings_little_between_breaks_is_given_up_soon(slept: list[float], comes: int) -> None:
    line = Line(comes)
    with pytest.raises(Unavailable):
        read(line)
    assert line.requests <= TRIES + 1
    assert sum(slept) < 2


def test_a_line_that_brings_much_between_breaks_is_gone_on_with_at_once(slept: list[float]) -> None:
    line = Line(70_000)
    assert b"".join(read(line)) == DATA
    assert line.requests > 3 * TRIES
    assert len(slept) <= 1, "of the first block nothing came"


def test_of_what_came_between_breaks_all_but_the_first_block_is_kept(slept: list[float]) -> None:
    line = Line(100_000)
    assert b"".join(read(line)) == DATA
    assert line.requests == 1 + -(-len(DATA) // 100_000)
    assert slept


def test_a_line_that_is_well_again_is_read_in_large_blocks(slept: list[float]) -> None:
    blocks = read(Line(0, 0, 0, len(DATA)))
    assert b"".join(blocks) == DATA
    assert len(blocks) < 10
    assert len(slept) == TRIES - 1


def test_a_line_that_falls_silent_again_and_again_is_given_up_however_much_came(slept: list[float]) -> None:
    line = Line(100_000, broken=Falling)
    with pytest.raises(Unavailable) as told:
        read(line)
    assert told.value.facts["reason"] == "ReadTimeoutError"
    assert line.requests == TRIES
    assert len(slept) <= 1
