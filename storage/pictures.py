"""Pictures of pages that were drawn once, kept sealed in a folder until it grows too large."""

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID


class PictureCache:
    """A folder of sealed pictures with a budget. Losing one costs the time to draw it again.

    Args:
        folder: made when absent.
        budget: bytes; beyond it those go that were not looked at for the longest time.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder = folder
        self._budget = budget
        self._lock = threading.Lock()
        self._held: int | None = None

    def get(self, name: str) -> bytes | None:
        """Return what is kept under a name, None when there is nothing."""
        path = self._folder / name
        try:
            found = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return found

    def holds(self, name: str) -> bool:
        """Whether something is kept under a name."""
        return (self._folder / name).is_file()

    def put(self, name: str, sealed: bytes) -> None:
        """Keep a picture; a full disk keeps none."""
        passing = self._folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            passing.write_bytes(sealed)
            passing.chmod(0o600)
            passing.replace(self._folder / name)
        passing.unlink(missing_ok=True)
        self._trim(len(sealed))

    def forget(self, contents: Collection[UUID]) -> int:
        """Remove what is kept of contents; return how many pictures that were."""
        found = list(self._of(contents))
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def kept(self, contents: Collection[UUID]) -> int:
        """Return how many pictures are kept of contents."""
        return sum(1 for _ in self._of(contents))

    def _of(self, contents: Collection[UUID]) -> Iterator[Path]:
        """Yield what is kept, or on its way in, of contents: each name begins with the content's."""
        wanted = {each.hex for each in contents}
        with suppress(FileNotFoundError):
            for entry in os.scandir(self._folder):
                if entry.name.removeprefix(".")[:32] in wanted:
                    yield Path(entry.path)

    def _trim(self, more: int) -> None:
        with self._lock, suppress(OSError):
            if self._held is not None and self._held + more <= self._budget:
                self._held += more
                return
            kept = sorted((e.stat().st_mtime, e.stat().st_size, e.path) for e in os.scandir(self._folder))
            self._held = sum(size for _, size, _ in kept)
            if self._held <= self._budget:
                return
            for _, size, path in kept:
                if self._held <= self._budget * 0.8:
                    return
                Path(path).unlink(missing_ok=True)
                self._held -= size
