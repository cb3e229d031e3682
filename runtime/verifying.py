"""Verifying the log against all that witnesses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from archive.log.verify import Verification, verify
from runtime.wiring.parts import Parts

if TYPE_CHECKING:
    from storage.witness import WitnessBucket


def verified(parts: Parts) -> Verification:
    """Verify the log against itself, its checkpoints and each of its witnesses: the file, then the bucket."""
    found = verify(parts.db, parts.ring, parts.witness, clock=parts.clock)
    if not found.ok or parts.witness_bucket is None:
        return found
    with _written(parts.witness_bucket) as witness:
        return verify(parts.db, parts.ring, witness, clock=parts.clock)


@contextmanager
def _written(outside: "WitnessBucket") -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "witness.jsonl"
        with path.open("wb") as file:
            file.writelines(outside.lines())
        yield path
