"""Writes a compound file (OLE) of streams: what lies in a folder of another becomes a file of its own."""

import struct
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from indexer.extract.ole import MAGIC

_SECTOR, _SMALL, _CUT_OFF = 4_096, 64, 4_096  # version 4: its one table reaches 450 MB
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_FOLDER, _STREAM, _ROOT = 1, 2, 5
_BLACK = 1
_PLACES = 109


class _Sectors:
    """Bytes in sectors of one size, and the chains by which they follow each other."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.body = bytearray()
        self.table: list[int] = []

    def put(self, data: bytes) -> int:
        """Append data; return its first sector."""
        if not data:
            return _END
        start, count = len(self.table), -(-len(data) // self.size)
        self.body += data.ljust(count * self.size, b"\x00")
        self.table += [*range(start + 1, start + count), _END]
        return start


class _Directory:
    """Entries of streams and folders, and where the streams lie."""

    def __init__(self) -> None:
        self.entries: list[list[Any]] = []  # name, kind, next beside it, first in it, first sector, bytes
        self.large, self.small = _Sectors(_SECTOR), _Sectors(_SMALL)

    def enter(self, name: str, node: Any, kind: int) -> int:
        index = len(self.entries)
        self.entries.append([name, kind, _FREE, _FREE, 0, 0])
        if kind == _STREAM:
            sectors = self.large if len(node) >= _CUT_OFF else self.small
            self.entries[index][4:] = [sectors.put(node), len(node)]
            return index
        inner = [
            self.enter(each, node[each], _FOLDER if isinstance(node[each], dict) else _STREAM)
            for each in sorted(node, key=lambda each: (len(each), each.upper()))
        ]
        for one, other in pairwise(inner):
            self.entries[one][2] = other
        self.entries[index][3] = inner[0] if inner else _FREE
        return index

    def packed(self) -> bytes:
        rows = b"".join(_entry(*entry) for entry in self.entries)
        free = _entry("", 0, _FREE, _FREE, 0, 0)
        return rows + free * (-len(self.entries) % (_SECTOR // len(free)))


def compound_of(streams: Mapping[tuple[str, ...], bytes]) -> bytes:
    """Return a compound file with these streams by their path; names have at most 31 characters."""
    tree: dict[str, Any] = {}
    for path, data in streams.items():
        node = tree
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = data
    directory = _Directory()
    directory.enter("Root Entry", tree, _ROOT)
    large, small = directory.large, directory.small
    directory.entries[0][4:] = [large.put(bytes(small.body)), len(small.body)]
    small_table = b"".join(struct.pack("<I", each) for each in small.table)
    padding = struct.pack("<I", _FREE) * (-len(small.table) % (_SECTOR // 4))
    first_small = large.put(small_table + padding if small_table else b"")
    rows = directory.packed()
    first_row = large.put(rows)
    count = len(large.table)
    tables = -(-count // (_SECTOR // 4 - 1))
    table = large.table + [_FAT] * tables
    table += [_FREE] * (-len(table) % (_SECTOR // 4))
    places = [*range(count, count + tables)] + [_FREE] * (_PLACES - tables)
    head = bytes(MAGIC) + bytes(16) + struct.pack("<HHHHH", 0x3E, 4, 0xFFFE, 12, 6) + bytes(6)
    head += struct.pack("<IIIII", len(rows) // _SECTOR, tables, first_row, 0, _CUT_OFF)
    head += struct.pack("<IIII", first_small, len(small_table + padding) // _SECTOR, _END, 0)
    head += struct.pack(f"<{_PLACES}I", *places)
    return head.ljust(_SECTOR, b"\x00") + bytes(large.body) + struct.pack(f"<{len(table)}I", *table)


def _entry(name: str, kind: int, beside: int, inner: int, start: int, size: int) -> bytes:
    wide = name.encode("utf-16-le")[:62]
    head = wide.ljust(64, b"\x00") + struct.pack(
        "<HBBIII", len(wide) + 2 if name else 0, kind, _BLACK, _FREE, beside, inner
    )
    return head + bytes(36) + struct.pack("<IQ", start, size)
