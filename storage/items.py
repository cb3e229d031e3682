"""What is copied from one object store to another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A content to copy: where it lies, in cipher bytes how long, and their SHA-256."""

    key: str
    size: int
    sha256: str
    version: str = ""
