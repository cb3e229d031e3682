"""Objects into a bucket and out of it, beside the bare client. Run: ``juanku bench store [--at HOST:PORT]``.

The raw side is ``minio``'s own ``put_object`` and ``get_object`` under the same credential, in turns with ours so that
a slow minute of the machine hits both. Ours are the product's adapter, alone and with the sealing and both hashes.
"""

import argparse
import os
import secrets
import statistics
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO

from minio import Minio

from archive.ids import new_id
from archive.ports import PIECE_BYTES
from benchmarks._common import table
from storage.minio.client import Access, client
from storage.minio.objects import MinioStore
from storage.minio.setup import set_up
from storage.stream import StreamReader, StreamSealer

KEY = os.urandom(32)
KB, MB = 1024, 1024 * 1024


class Bench:
    """One bucket of its own, raw and through the adapter."""

    def __init__(self, address: str, key: str, secret: str) -> None:
        access = Access(address, key, secret, secure=False)
        self.bucket = f"bench-{secrets.token_hex(6)}"
        set_up(client(access), self.bucket)
        self.raw = Minio(address, key, secret, secure=False, region="us-east-1")
        made = client(access)
        self.store = MinioStore(made, made, self.bucket)

    def raw_put(self, data: bytes) -> None:
        """As anybody would."""
        self.raw.put_object(self.bucket, name(), BytesIO(data), len(data))

    def put(self, data: bytes) -> None:
        """The adapter alone, with bytes that are sealed already."""
        self.store.put(name(), cut(data))

    def sealed(self, data: bytes) -> None:
        """What an intake does with a file: seal, hash twice, put."""
        sealer, pieces = StreamSealer(KEY, new_id()), cut(data)
        self.store.put(name(), (sealer.piece(each, last=each is pieces[-1]) for each in pieces))

    def in_pieces(self, data: bytes) -> None:
        """What an upload in a browser does: seal, hash, keep each piece, join."""
        sealer, pieces, key = StreamSealer(KEY, new_id()), cut(data), name()
        upload = self.store.begin(key)
        for number, each in enumerate(pieces):
            self.store.put_piece(key, upload, number, sealer.piece(each, last=each is pieces[-1]))
        self.store.finish(key, upload)


def name() -> str:
    """Return a key that nobody has."""
    return secrets.token_hex(16)


def cut(data: bytes) -> list[bytes]:
    """Cut into pieces as they travel."""
    return [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)] or [b""]


def in_turns(rounds: int, *acts: Callable[[], object]) -> list[float]:
    """Return the middle seconds of each act; all take turns."""
    took: list[list[float]] = [[] for _ in acts]
    for _ in range(rounds):
        for which, act in enumerate(acts):
            begun = time.perf_counter()
            act()
            took[which].append(time.perf_counter() - begun)
    return [statistics.median(each) for each in took]


def writing(bench: Bench) -> None:
    """Print how quickly objects go in."""
    rows: list[tuple[str, object]] = []
    for label, size, rounds in (("10 KB", 10 * KB, 200), ("100 KB", 100 * KB, 150), ("64 MB", 64 * MB, 7)):
        data = os.urandom(size)
        acts = [bench.raw_put, bench.put, bench.sealed, *([bench.in_pieces] if size > MB else [])]
        raw, *ours = in_turns(rounds, *(partial(act, data) for act in acts))
        unit, per = ("MB/s", 64.0) if size > MB else ("/s", 1.0)
        rows.append((f"{label}: raw put_object", f"{per / raw:.0f} {unit}"))
        for act, each in zip(("store.put", "sealed, hashed, put", "in pieces, joined"), ours, strict=False):
            rows.append((f"{label}: {act}", f"{per / each:.0f} {unit}, {raw / each:.0%} of raw"))
    table("objects into a bucket, one client", rows)


def reading(bench: Bench) -> None:
    """Print how quickly bytes come out, whole and in ranges."""
    content, key = new_id(), name()
    pieces, sealer = cut(os.urandom(64 * MB)), StreamSealer(KEY, content)
    stored = bench.store.put(key, (sealer.piece(each, last=each is pieces[-1]) for each in pieces))

    def raw(offset: int, length: int) -> None:
        answer = bench.raw.get_object(bench.bucket, key, offset, length, version_id=stored.version)
        for _ in answer.stream(512 * KB):
            pass
        answer.close()
        answer.release_conn()

    def ours(offset: int, length: int) -> None:
        for _ in StreamReader(KEY, content, bench.store, key, stored.version).read(offset, length):
            pass

    rows: list[tuple[str, object]] = []
    for label, offset, length, rounds in (
        ("whole, 64 MB", 0, 64 * MB, 7),
        ("1 MB in the middle", 30 * MB, MB, 60),
        ("4 KB in the middle", 30 * MB, 4 * KB, 120),
    ):
        bare, checked = in_turns(rounds, partial(raw, offset, length), partial(ours, offset, length))
        rows.append((f"{label}: raw get_object", f"{bare * 1000:.1f} ms"))
        rows.append(
            (f"{label}: opened, decrypted, checked", f"{checked * 1000:.1f} ms, {bare / checked:.0%} of raw's speed")
        )
    table("bytes out of a bucket, one client", rows)


def main() -> None:
    """Measure."""
    options = argparse.ArgumentParser()
    options.add_argument("--at", default="127.0.0.1:9000")
    options.add_argument("--key", default="archive")
    options.add_argument("--secret", default="archive-secret")
    chosen = options.parse_args()
    bench = Bench(chosen.at, chosen.key, chosen.secret)
    writing(bench)
    reading(bench)


if __name__ == "__main__":
    main()
