"""Removing objects for good from a bucket: every version and delete mark, whatever lock is on it but a legal hold."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from minio import Minio
from minio.deleteobjects import DeleteObject

from archive.errors import NotFound
from storage.minio.client import translated

AT_ONCE = 8
"""Questions to the store that are under way at the same time."""

_GONE = {"NoSuchKey", "NoSuchVersion"}
_T = TypeVar("_T")


class MinioErasing:
    """``ports.ObjectErasing``.

    Args:
        destroyer: the credential of destruction, which alone may remove what is locked (the same client as the
            everyday's where the house has given one credential only).
        bucket: its name.
    """

    def __init__(self, destroyer: Minio, bucket: str) -> None:
        self._client = destroyer
        self._bucket = bucket

    def held(self, objects: Mapping[str, str | None]) -> frozenset[str]:
        """Return the keys whose version (None: any of its versions) is under a legal hold."""
        return frozenset(key for key, held in self._asked(objects, lambda key: self._held(key, objects[key])) if held)

    def erase(self, objects: Mapping[str, str | None]) -> frozenset[str]:
        """Remove a version of each key (None: every version and mark); what is under a legal hold refuses and stays."""
        known = [DeleteObject(key, version) for key, version in objects.items() if version]
        listed = self._asked([key for key, version in objects.items() if not version], self._versions)
        every = known + [DeleteObject(key, version) for key, versions in listed for version in versions]
        with translated():
            refused = list(self._client.remove_objects(self._bucket, every, bypass_governance_mode=True))
        return frozenset(each.name or "" for each in refused if each.code not in _GONE)

    def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        """Return how many versions and delete marks stand of each key that is not gone."""
        return {key: len(versions) for key, versions in self._asked(keys, self._versions) if versions}

    def _asked(self, keys: Collection[str], ask: Callable[[str], _T]) -> Iterator[tuple[str, _T]]:
        wanted = list(keys)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="erase") as pool:
            yield from zip(wanted, pool.map(ask, wanted), strict=True)

    def _versions(self, key: str) -> list[str]:
        return [version for version, _ in self._listed(key)]

    def _listed(self, key: str) -> list[tuple[str, bool]]:
        with translated():
            listed = self._client.list_objects(self._bucket, key, include_version=True, recursive=True)
            ours = [each for each in listed if each.object_name == key]
        return [(each.version_id or "null", bool(each.is_delete_marker)) for each in ours]

    def _held(self, key: str, version: str | None) -> bool:
        if version:
            return self._version_held(key, version)
        return any(self._version_held(key, version) for version, marker in self._listed(key) if not marker)

    def _version_held(self, key: str, version: str) -> bool:
        try:
            with translated(version=True):
                return self._client.is_object_legal_hold_enabled(self._bucket, key, version_id=version)
        except NotFound:
            return False
