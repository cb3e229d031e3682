"""One partition on disk: which folder holds it, its reader and its writer.

A small file (``CURRENT``) names the folder in use, so that a partition made anew beside can take its place in one
step, also for readers in other processes. Only one process may write; any number may read.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tantivy import Index, IndexWriter, Schema, Searcher

from archive.ids import new_id

HEAP_BYTES = 15_000_000
"""What an open writer may hold in memory; tantivy's least for one thread."""

_CURRENT = "CURRENT"
_Result = TypeVar("_Result")
_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class View:
    """A partition as it stood at one commit. ``settled`` keeps what was found out about it, for the next search.

    ``whole`` False: it was begun anew in place of a broken one, and not rebuilt since.
    """

    searcher: Searcher
    whole: bool = True
    settled: dict[Any, Any] = field(default_factory=dict)


class Broken(Exception):
    """The partition's folder is missing or damaged."""


class Partition:
    """A partition in ``folder``. Safe to use from several threads.

    Args:
        folder: its own folder; need not exist.
        name: what the partition is called.
        schema: the schema all its documents have.
        seconds: a clock that only goes forward.
    """

    def __init__(self, folder: Path, name: str, schema: Schema, seconds: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self.name = name
        self._schema = schema
        self._seconds = seconds
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._pointed: tuple[_Stamp, str] | None = None
        self._whole = True
        self._seen: tuple[str, _Stamp] | None = None
        self._view: View | None = None
        self._writer: IndexWriter | None = None
        self.written_at = 0.0

    @property
    def exists(self) -> bool:
        """Whether the partition was ever begun."""
        return (self.folder / _CURRENT).exists()

    @property
    def incomplete(self) -> bool:
        """Whether it was begun anew in place of a broken one, and not rebuilt since."""
        try:
            return bool(self._current()["incomplete"])
        except (FileNotFoundError, Broken):
            return False

    def view(self) -> View | None:
        """Return a view of what was last committed, or None when the partition was never begun.

        It looks each time: a fence falls once a commit holds what it stood for, so an older view would show it again.

        Raises:
            Broken: the folder is missing or damaged.
        """
        with self._lock:
            if not self._refresh():
                return None
            if self._view is None:
                assert self._index is not None  # noqa: S101  (_refresh opened it)
                self._view = View(self._index.searcher(), self._whole)
            return self._view

    def searcher(self) -> Searcher | None:
        """Return a searcher over what was last committed; as ``view``."""
        view = self.view()
        return view.searcher if view else None

    def _refresh(self) -> bool:
        try:
            pointer = _stamp(self.folder / _CURRENT)
            if self._pointed is None or self._pointed[0] != pointer:
                current = self._current()
                self._pointed, self._whole = (pointer, str(current["folder"])), not current["incomplete"]
            name = self._pointed[1]
            seen = (name, _stamp(self.folder / name / "meta.json"))
        except FileNotFoundError as error:
            self._index = self._view = None
            if not self.exists:
                return False
            raise Broken(str(self.folder)) from error
        if self._index is None or self._seen is None or seen[0] != self._seen[0]:
            self._index, self._view = self.open_folder(self.folder / name), None
        elif seen != self._seen:
            self._view = None
            guarded(self._index.reload)
        self._seen = seen
        return True

    def open_folder(self, folder: Path) -> Index:
        """Open the index in a folder."""
        index = guarded(lambda: Index(self._schema, path=str(folder), reuse=True))
        guarded(lambda: index.config_reader("manual"))
        guarded(index.reload)
        return index

    def _current(self) -> dict[str, object]:
        try:
            read: dict[str, object] = json.loads((self.folder / _CURRENT).read_text("utf-8"))
        except ValueError as error:
            raise Broken(str(self.folder)) from error
        return read

    def writer(self) -> IndexWriter:
        """Return the writer, opened at first use; a broken partition is begun anew and known as incomplete."""
        with self._lock:
            self.written_at = self._seconds()
            if self._writer is None:
                try:
                    begun = self.searcher() is not None
                except Broken:
                    self._begin(incomplete=True)
                    begun = True
                if not begun:
                    self._begin(incomplete=False)
                assert self._index is not None  # noqa: S101  (searcher or _begin opened it)
                index = self._index
                self._writer = guarded(lambda: index.writer(HEAP_BYTES, 1))
            return self._writer

    def _begin(self, *, incomplete: bool) -> None:
        self._index = self._view = None
        self.use(self.new_folder(), incomplete=incomplete)
        self._refresh()

    def commit(self) -> None:
        """Commit what was written; later searches of this process see it at once."""
        with self._lock:
            if self._writer is not None:
                guarded(self._writer.commit)

    def forget(self) -> None:
        """Open the folder anew at the next search."""
        with self._lock:
            self._view = None
            self._index = self._index if self._writer is not None else None

    def rest(self) -> None:
        """Close the writer, so that it holds no memory. What was not committed is lost."""
        with self._lock:
            if self._writer is not None:
                writer, self._writer = self._writer, None
                guarded(writer.wait_merging_threads)

    def new_folder(self) -> Path:
        """Make an empty index beside the one in use, and return its folder."""
        folder = self.folder / new_id().hex
        folder.mkdir(parents=True)
        self.open_folder(folder)
        return folder

    def use(self, folder: Path, *, incomplete: bool = False) -> None:
        """Put another folder in the place of the one in use, and remove all others."""
        with self._lock:
            self.rest()
            pending = self.folder / f"{_CURRENT}.new"
            with pending.open("w", encoding="utf-8") as file:
                json.dump({"folder": folder.name, "incomplete": incomplete}, file)
                file.flush()
                os.fsync(file.fileno())
            pending.replace(self.folder / _CURRENT)
            # Readers elsewhere have the old files mapped and keep them until they look again.
            for other in self.folder.iterdir():
                if other.is_dir() and other != folder:
                    shutil.rmtree(other, ignore_errors=True)

    def remove(self) -> None:
        """Remove the partition and its bytes."""
        with self._lock:
            self.close()
            (self.folder / _CURRENT).unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self.rest()
            self._index = self._view = None
            self._seen = self._pointed = None


def _stamp(path: Path) -> _Stamp:
    """Return what changes when a file is made anew; two commits may fall into one tick of the file system's clock."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def guarded(act: Callable[[], _Result]) -> _Result:
    """Do something with tantivy; what it raises (several kinds, by cause) means the folder is no good."""
    try:
        return act()
    except (ValueError, OSError) as error:
        raise Broken(str(error)) from error
