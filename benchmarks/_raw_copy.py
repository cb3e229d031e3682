"""Copying the bytes of a store as anybody would: a folder by files, a bucket by ``minio``'s own client."""

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from minio import Minio

from storage.copying import COPIERS


class Place(Protocol):
    """Where bytes lie under names."""

    def names(self) -> list[tuple[str, int]]:
        """Return what lies there, with its sizes."""

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open one for reading."""

    def put(self, name: str, source: BinaryIO, size: int) -> None:
        """Write one; durable on return."""


@dataclass(frozen=True)
class Folder:
    """Files; each that is written is flushed to the disk, as a store must."""

    path: Path

    def names(self) -> list[tuple[str, int]]:
        """Return paths within the folder, and sizes."""
        files = (path for path in self.path.rglob("*") if path.is_file())
        return [(str(path.relative_to(self.path)), path.stat().st_size) for path in files]

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file."""
        return (self.path / name).open("rb")

    def put(self, name: str, source: BinaryIO, size: int) -> None:
        """Write a file under the last part of its name."""
        self.path.mkdir(exist_ok=True)
        with (self.path / name.rpartition("/")[2]).open("wb") as file:
            shutil.copyfileobj(source, file, max(1, min(size, 1024 * 1024)))
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True)
class Bucket:
    """Objects of a bucket."""

    client: Minio
    name: str

    def names(self) -> list[tuple[str, int]]:
        """Return keys and sizes."""
        return [
            (each.object_name or "", each.size or 0) for each in self.client.list_objects(self.name, recursive=True)
        ]

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """Ask for an object."""
        answer = self.client.get_object(self.name, name)
        try:
            yield cast("BinaryIO", answer)
        finally:
            answer.close()
            answer.release_conn()

    def put(self, name: str, source: BinaryIO, size: int) -> None:
        """Write an object."""
        self.client.put_object(self.name, name, source, size)


@dataclass(frozen=True)
class Took:
    """What copying took: seconds on the clock and of this process's processor time."""

    wall: float
    cpu: float


def copied(source: Place, target: Place) -> Took:
    """Copy every object once, by as many threads as a backup uses."""

    def one(each: tuple[str, int]) -> None:
        name, size = each
        with source.opened(name) as read:
            target.put(name, read, size)

    names = source.names()
    begun, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(COPIERS) as pool:
        list(pool.map(one, names))
    return Took(time.perf_counter() - begun, time.process_time() - cpu)
