"""Bags as BagIt 1.0 (RFC 8493) has them: written file by file, so that a broken run goes on, and verified."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

CHUNK = 1024 * 1024
MANIFEST, TAGS = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_DECLARED = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_MARK = ".juanku-transfer"
"""Names the transfer that a bag is being made of; it goes when the bag is whole."""


class NotOurs(Exception):
    """The folder holds something else."""


@dataclass(frozen=True)
class Wrong:
    """What a bag does not hold as it says. ``code``: missing, changed, unlisted, unsafe or unreadable."""

    path: str
    code: str


class BagWriter:
    """Writes one bag. What is there with the right bytes is not written again."""

    def __init__(self, folder: Path, mark: str) -> None:
        """Begin a bag in an empty folder, or go on with that of the same ``mark``.

        Raises:
            NotOurs: the folder holds something else.
        """
        folder.mkdir(parents=True, exist_ok=True)
        there = [each for each in folder.iterdir() if each.name != _MARK]
        kept = (folder / _MARK).read_text("utf-8") if (folder / _MARK).exists() else None
        if kept not in {None, mark} or (there and kept is None):
            raise NotOurs(str(folder))
        self._folder = folder
        self._sums: dict[str, tuple[str, int]] = {}
        _write(folder / _MARK, [mark.encode()])
        _write(folder / "bagit.txt", [_DECLARED])

    def add(self, path: str, data: bytes) -> None:
        """Add a small file under ``data/``."""
        self._keep(path, [data], None)

    def add_stream(self, path: str, pieces: Iterable[bytes], expected: str) -> bool:
        """Add a file whose hash is known; return whether it had to be written. ``pieces`` is asked for only then.

        Raises:
            ValueError: the bytes are others than they should be.
        """
        target = self._folder / "data" / path
        if target.is_file() and _sum(target) == expected:
            self._sums[f"data/{path}"] = (expected, target.stat().st_size)
            return False
        self._keep(path, pieces, expected)
        return True

    def _keep(self, path: str, pieces: Iterable[bytes], expected: str | None) -> None:
        target = self._folder / "data" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        found, size = _write(target, pieces, expected)
        self._sums[f"data/{path}"] = (found, size)

    def finish(self, info: Iterable[tuple[str, str]]) -> str:
        """Write the manifests and return the hash that stands for the whole bag: that of the tag manifest."""
        octets = sum(size for _, size in self._sums.values())
        lines = [*info, ("Payload-Oxum", f"{octets}.{len(self._sums)}")]
        about = "".join(f"{name}: {' '.join(value.split())}\n" for name, value in lines)
        _write(self._folder / "bag-info.txt", [about.encode()])
        _write(self._folder / MANIFEST, [_lines((path, found) for path, (found, _) in sorted(self._sums.items()))])
        for each in sorted((self._folder / "data").rglob("*")):  # of a list that was longer before
            if each.is_file() and each.relative_to(self._folder).as_posix() not in self._sums:
                each.unlink()
        tags = [(name, _sum(self._folder / name)) for name in ("bag-info.txt", "bagit.txt", MANIFEST)]
        stands, _ = _write(self._folder / TAGS, [_lines(tags)])
        (self._folder / _MARK).unlink(missing_ok=True)
        return stands


def verify(bag: Path) -> list[Wrong]:
    """Return everything that a bag does not hold as its manifests say; nothing is followed out of it."""
    try:
        tags, listed = _read(bag / TAGS), _read(bag / MANIFEST)
        declared = (bag / "bagit.txt").read_bytes().startswith(b"BagIt-Version: 1.")
    except (OSError, UnicodeDecodeError, ValueError):
        return [Wrong(MANIFEST, "unreadable")]
    wrong = [] if declared else [Wrong("bagit.txt", "unreadable")]
    wrong += [Wrong(needed, "unlisted") for needed in ("bagit.txt", MANIFEST) if needed not in tags]
    for path, expected in [*tags.items(), *listed.items()]:
        wrong += _checked(bag, path, expected)
    there = {each.relative_to(bag).as_posix() for each in (bag / "data").rglob("*") if not each.is_dir()}
    return wrong + [Wrong(path, "unlisted") for path in sorted(there - set(listed))]


def _checked(bag: Path, path: str, expected: str) -> Iterator[Wrong]:
    parts = PurePosixPath(path).parts
    target = bag.joinpath(*parts)
    if path.startswith("/") or ".." in parts or "\\" in path or any(
        bag.joinpath(*parts[:depth]).is_symlink() for depth in range(1, len(parts) + 1)
    ):  # fmt: skip
        yield Wrong(path, "unsafe")
    elif not target.is_file():
        yield Wrong(path, "missing")
    elif _sum(target) != expected:
        yield Wrong(path, "changed")


def bag_hash(bag: Path) -> str:
    """Return the hash that stands for a whole bag."""
    return _sum(bag / TAGS)


def _lines(sums: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{found}  {path}\n" for path, found in sums).encode()


def _read(manifest: Path) -> dict[str, str]:
    found = {}
    for line in manifest.read_text("utf-8").splitlines():
        digest, path = line.split(maxsplit=1)
        found[path] = digest.lower()
    return found


def _sum(path: Path) -> str:
    with path.open("rb") as source:
        made = sha256()
        while chunk := source.read(CHUNK):
            made.update(chunk)
    return made.hexdigest()


def _write(target: Path, pieces: Iterable[bytes], expected: str | None = None) -> tuple[str, int]:
    """Write a file whole or not at all, and return its hash and size."""
    part, made, size = target.with_name(f"{target.name}.part"), sha256(), 0
    try:
        with part.open("wb") as out:
            for piece in pieces:
                made.update(piece)
                size += len(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if expected is not None and made.hexdigest() != expected:
            raise ValueError(target.name)
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return made.hexdigest(), size
