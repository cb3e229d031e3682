"""Handing over: the bag of an approved transfer is made, and a bag of another archive comes in as drafts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from archive import failpoints
from archive.bag import BagWriter, FolderBag, NotOurs
from archive.cataloguing.describing import Draft
from archive.errors import ArchiveError, Fault, InvalidInput
from archive.identity import Identity
from archive.ports import Unlocked
from retention.transferring.describing import PartFile, part_of, plain, whole_bag
from retention.transferring.rows import forget_bag
from retention.transferring.taking_in import Came, Means, take_in
from runtime.wiring.parts import Parts

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Packed:
    """A bag that was made: how many records and files, and the hash that stands for it."""

    number: str
    records: int
    files: int
    bag_sha256: str


def pack(parts: Parts, identity: Identity, number: str, folder: Path, told: Told) -> Packed:
    """Make the bag of an approved transfer in a folder; after a break it goes on where it stood.

    Raises:
        NotFound, Ended, InvalidInput: as ``Transfers.packing``.
        InvalidInput: ``folder`` holds something else, or a file could not be read whole.
    """
    transfers = parts.retention.transfers
    with parts.db.reading() as session:
        transfer, items = transfers.packing(session, number)
        about = whole_bag(session, transfer, items, parts.guard.day().isoformat())
    try:
        writer = BagWriter(folder, f"{transfer.id}")
    except NotOurs:
        raise InvalidInput(Fault("folder", "not_empty")) from None
    files = 0
    for done, (position, key) in enumerate(items):
        told(done, len(items))
        files += _pack_record(parts, writer, position, key)
        failpoints.reach("transfer.record_packed")
    writer.add("transfer.json", about.pop("transfer.json").encode())
    stands = writer.finish(about.items())
    with parts.db.writing() as work:
        row, now = transfers.packing(work.session, number)
        if list(now) != list(items):  # a hold or loan came meanwhile: the bag is not of what may go
            raise InvalidInput(Fault("records", "changed_meanwhile"))
        forget_bag(work.session, row)
        transfers.packed(work.session, identity, row, stands)
        parts.log.note_many(
            work.session, identity, "transfer.copy", [(key, {"transfer": transfer.number}) for _, key in items]
        )
        work.commit()
    return Packed(transfer.number, len(items), files, stands)


def _pack_record(parts: Parts, writer: BagWriter, position: int, key: UUID) -> int:
    with parts.db.reading() as session:
        part = part_of(session, parts.vault, position, key)
        unlocked = parts.vault.unlock(session, key)
    for file in part.files:
        try:
            writer.add_stream(file.path, _lazily(parts, unlocked, file), file.sha256)
        except (ArchiveError, ValueError):
            raise InvalidInput(Fault("file", "not_whole", {"name": file.name})) from None
    for path, text in part.texts.items():
        writer.add(path, text.encode())
    return len(part.files)


def _lazily(parts: Parts, unlocked: Unlocked, file: PartFile) -> Iterator[bytes]:
    with parts.db.reading() as session:
        pieces = plain(session, unlocked, parts.store, file)
    yield from pieces


def receive(parts: Parts, identity: Identity, bag: Path, draft: Draft, told: Told) -> Came:
    """Bring the bag in a folder in, as ``take_in`` does; ``told`` hears how far it is."""
    steps = take_in(Means(parts.db, parts.imports, parts.intake), identity, FolderBag(bag), draft)
    while True:
        try:
            if place := next(steps):
                told(*place)
        except StopIteration as end:
            came: Came = end.value
            parts.imports.end(identity, came.run)
            return came
