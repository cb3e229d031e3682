"""Bags as BagIt 1.0 (RFC 8493) has them: written file by file, so that a broken run goes on, and verified."""

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Protocol
from zipfile import BadZipFile, ZipFile

CHUNK = 1024 * 1024
LARGEST_TEXT = 64 * CHUNK
"""Bytes of a manifest or a description."""

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
        tags = tag_files(info, self._sums)
        for name in ("bag-info.txt", MANIFEST):
            _write(self._folder / name, [tags[name]])
        for each in sorted((self._folder / "data").rglob("*")):  # of a list that was longer before
            if each.is_file() and each.relative_to(self._folder).as_posix() not in self._sums:
                each.unlink()
        stands, _ = _write(self._folder / TAGS, [tags[TAGS]])
        (self._folder / _MARK).unlink(missing_ok=True)
        return stands


def tag_files(info: Iterable[tuple[str, str]], sums: Mapping[str, tuple[str, int]]) -> dict[str, bytes]:
    """Return the files beside the payload, the tag manifest last; ``sums``: hash and size of each file under data/."""
    lines = [*info, ("Payload-Oxum", f"{sum(size for _, size in sums.values())}.{len(sums)}")]
    about = "".join(f"{name}: {' '.join(value.split())}\n" for name, value in lines)
    manifest = _lines((path, found) for path, (found, _) in sorted(sums.items()))
    tags = {"bag-info.txt": about.encode(), "bagit.txt": _DECLARED, MANIFEST: manifest}
    return {**tags, TAGS: _lines((name, sha256(data).hexdigest()) for name, data in tags.items())}


class Bag(Protocol):
    """Where a bag lies: a folder, or a ZIP."""

    def payload(self) -> set[str]:
        """Return the paths of all files under ``data/``."""
        ...

    def stands(self, path: str) -> str | None:
        """Return why a file cannot be read: ``unsafe``, ``missing``; None: it can."""
        ...

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises ``OSError``, ``ValueError``."""
        ...


class FolderBag:
    """A bag in a folder; nothing is followed out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def payload(self) -> set[str]:
        """Return what lies under ``data/``."""
        there = (self._folder / "data").rglob("*")
        return {each.relative_to(self._folder).as_posix() for each in there if not each.is_dir()}

    def stands(self, path: str) -> str | None:
        """Return why a file cannot be read."""
        parts = PurePosixPath(path).parts
        links = (self._folder.joinpath(*parts[:depth]).is_symlink() for depth in range(1, len(parts) + 1))
        if _leads_out(path) or any(links):
            return "unsafe"
        return None if self._folder.joinpath(*parts).is_file() else "missing"

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        with self._folder.joinpath(*PurePosixPath(path).parts).open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk


class ZipBag:
    """A bag in a ZIP, in one folder or at its top. Raises ``ValueError``, ``OSError`` where it is no ZIP."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, NotImplementedError) as error:
            raise ValueError(str(error)) from None
        names = {each.filename: each for each in self._zip.infolist() if not each.is_dir()}
        tops = sorted((name for name in names if PurePosixPath(name).name == "bagit.txt"), key=len)
        self._top = tops[0].removesuffix("bagit.txt") if tops else ""
        self._names = {name.removeprefix(self._top): each for name, each in names.items() if name.startswith(self._top)}

    def payload(self) -> set[str]:
        """Return what lies under ``data/``."""
        return {name for name in self._names if name.startswith("data/")}

    def stands(self, path: str) -> str | None:
        """Return why a file cannot be read."""
        if _leads_out(path):
            return "unsafe"
        return None if path in self._names else "missing"

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        try:
            with self._zip.open(self._names[path]) as source:
                while chunk := source.read(CHUNK):
                    yield chunk
        except (BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
            raise ValueError(str(error)) from None


def verify(bag: Path | Bag) -> list[Wrong]:
    """Return everything that a bag does not hold as its manifests say; nothing is followed out of it."""
    return [each for each in checked(FolderBag(bag) if isinstance(bag, Path) else bag) if each is not None]


def checked(bag: Bag) -> Iterator[Wrong | None]:
    """Check a bag file by file: yields what is wrong, and None after each file."""
    try:
        tags, listed = _manifest(bag, TAGS), _manifest(bag, MANIFEST)
        declared = text_of(bag, "bagit.txt").startswith(b"BagIt-Version: 1.")
    except (OSError, UnicodeDecodeError, ValueError):
        yield Wrong(MANIFEST, "unreadable")
        return
    if not declared:
        yield Wrong("bagit.txt", "unreadable")
    yield from (Wrong(needed, "unlisted") for needed in ("bagit.txt", MANIFEST) if needed not in tags)
    for path, expected in [*tags.items(), *listed.items()]:
        yield _checked(bag, path, expected)
    yield from (Wrong(path, "unlisted") for path in sorted(bag.payload() - set(listed)))


def _checked(bag: Bag, path: str, expected: str) -> Wrong | None:
    if why := bag.stands(path):
        return Wrong(path, why)
    made = sha256()
    try:
        for chunk in bag.chunks(path):
            made.update(chunk)
    except (OSError, ValueError):
        return Wrong(path, "unreadable")
    return None if made.hexdigest() == expected else Wrong(path, "changed")


def text_of(bag: Bag, path: str) -> bytes:
    """Return a small file of a bag. Raises ``OSError``, ``ValueError``: it is not there, leads out or is too large."""
    if why := bag.stands(path):
        raise ValueError(why)
    held = bytearray()
    for chunk in bag.chunks(path):
        held += chunk
        if len(held) > LARGEST_TEXT:
            raise ValueError(path)
    return bytes(held)


def payload_of(bag: Bag) -> frozenset[str]:
    """Return the paths that the payload manifest of a bag lists. Raises as ``text_of``."""
    return frozenset(_manifest(bag, MANIFEST))


def bag_hash(bag: Path | Bag) -> str:
    """Return the hash that stands for a whole bag."""
    return sha256(text_of(FolderBag(bag) if isinstance(bag, Path) else bag, TAGS)).hexdigest()


def _leads_out(path: str) -> bool:
    return path.startswith("/") or ".." in PurePosixPath(path).parts or "\\" in path


def _manifest(bag: Bag, path: str) -> dict[str, str]:
    found = {}
    for line in text_of(bag, path).decode("utf-8").splitlines():
        digest, name = line.split(maxsplit=1)
        found[name] = digest.lower()
    return found


def _lines(sums: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{found}  {path}\n" for path, found in sums).encode()


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
