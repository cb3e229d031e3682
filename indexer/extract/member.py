"""A file inside another, before it is taken out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from indexer.extract.cleaning import clean_line

MAX_MEMBERS = 10_000
MAX_BYTES = 200_000_000
"""What one file may hold at most: members, and bytes of all of them together."""

MAX_RATIO = 100
"""A container that unpacks to more than so many times its size is a bomb, beyond the first few megabytes."""

MAX_PATH = 1_000
CHUNK = 262_144


@dataclass(frozen=True)
class Member:
    """A file inside another.

    Attributes:
        path: what it is called there, from the outer file down; a label, never a way on a disk.
        chunks: its bytes, to be asked for once, before the next member is; raises whatever a broken one raises.
    """

    path: str
    chunks: Callable[[], Iterator[bytes]]


def label(path: str, number: int) -> str:
    """Return a path as a label: no root, no steps up, no control characters; by its number, where nothing is left."""
    steps = [clean_line(step).strip() for step in path.replace("\\", "/").replace("\x00", "").split("/")]
    return "/".join(step for step in steps if step not in {"", ".", ".."})[:MAX_PATH] or str(number)


def climbs(path: str) -> bool:
    """Whether a name would lead out of the folder that an archive is unpacked into."""
    name = path.replace("\\", "/")
    return name.startswith("/") or name[1:2] == ":" or ".." in name.split("/") or "\x00" in name


def whole(path: str, data: bytes) -> Member:
    """Return a member whose bytes are at hand."""
    return Member(path, lambda: (data[at : at + CHUNK] for at in range(0, len(data), CHUNK)))


def listed(members: Iterable[Member]) -> str:
    """Return the list of what lies in an archive, a line each."""
    return "\n".join(label(member.path, number) for number, member in enumerate(members, 1))
