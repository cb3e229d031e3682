"""A store inside another: all its keys begin with a prefix, and nothing beside them is seen or touched.

For what is written whole, as backups are: it takes no uploads in pieces, so a bucket needs no second one beside it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from archive.errors import NotFound
from archive.ports import ObjectInfo, ObjectStore, StoredObject

Sizes = Sequence[int]


class PrefixedStore:
    """``ports.ObjectStore`` under a prefix of another, but for uploads.

    Args:
        store: the other.
        prefix: what keys begin with there, ending in ``/``; empty: all of it.
    """

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        """Write an object in one go; durable on return, nothing left on error."""
        return replace(self._store.put(self._prefix + key, pieces), key=key)

    def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start``, at most ``length``. ``NotFound`` (at once) when absent."""
        return self._store.read(self._prefix + key, version, start, length)

    def stat(self, key: str, version: str) -> ObjectInfo | None:
        """Return what is known of an object version, or None when it is not there."""
        found = self._store.stat(self._prefix + key, version)
        return found and replace(found, key=key)

    def remove(self, key: str, version: str) -> None:
        """Remove one version for good. Removing what is not there is no error."""
        self._store.remove(self._prefix + key, version)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """List every object version whose key begins with ``prefix``."""
        for info in self._store.list(self._prefix + prefix):
            yield replace(info, key=info.key.removeprefix(self._prefix))

    def begin(self, key: str) -> str:
        """Take no upload. Raises ``NotFound``, as all that speaks of one does."""
        raise NotFound(what="upload", key=key)

    def put_piece(self, key: str, upload: str, number: int, data: bytes) -> None:
        """Take none."""
        raise NotFound(what="upload", key=key, upload=upload, number=number, size=len(data))

    def pieces(self, key: str, upload: str) -> Sizes:
        """Know of none."""
        raise NotFound(what="upload", key=key, upload=upload)

    def read_piece(self, key: str, upload: str, number: int) -> bytes:
        """Hold none."""
        raise NotFound(what="upload", key=key, upload=upload, number=number)

    def finish(self, key: str, upload: str) -> StoredObject:
        """Join none."""
        raise NotFound(what="upload", key=key, upload=upload)

    def abort(self, key: str, upload: str) -> None:
        """Forget nothing: there is none."""

    def uploads(self) -> Iterator[ObjectInfo]:
        """List none."""
        return iter(())
