"""A house with papers on a shelf: an archivist, a custodian of the lowest level who reads nothing, and a reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from archive.blocks import Blocks
from archive.database import Database
from archive.identity import Identity, Role
from archive.model import BlockKind, IssuedNumber, Record, ShelfKind
from archive.policy.guard import Guard
from archive.shelving.copies import CopyFacts
from archive.shelving.tree import PlaceFacts
from archive.shelving.whole import Shelving
from archive.stocktaking.counting import Outcome, Scan
from archive.stocktaking.report import StocktakingView
from archive.stocktaking.whole import StocktakingService
from tests.factories import people, records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog
from tests.fakes.vault import MemoryVault


@dataclass
class House:
    db: Database
    blocks: Blocks
    shelving: Shelving
    log: RememberingLog
    vault: MemoryVault
    who: dict[str, Identity]
    stock: StocktakingService
    shelf: UUID
    boxes: tuple[UUID, UUID]
    category: Any
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def a_copy(self, level: int = 1, box: int | None = 0) -> tuple[UUID, UUID]:
        """Return a filed record of a level, numbered ``N-1`` and so on, and its copy, in a box (None: nowhere)."""
        number = f"N-{next(self._numbers)}"
        with self.db.writing() as work:
            session = work.session
            record = records.a_record(session, self.category, level=level, archive_number=number)
            self.vault.add_owner(session, record.id, due_year=None)
            session.add(IssuedNumber(fonds_id=self.category.fonds_id, number=number, record_id=record.id))
            work.commit()
        copy = self.shelving.copies.add(self.who["archivist"], record.id, CopyFacts()).id
        if box is not None:
            self.shelving.placing.place(self.who["archivist"], copy, self.boxes[box])
        return record.id, copy

    def number(self, record: UUID) -> str:
        with self.db.reading() as session:
            return str(session.get_one(Record, record).archive_number)

    def begin(self, login: str = "archivist", place: UUID | None = None) -> UUID:
        return self.stock.counting.begin(self.who[login], place or self.shelf)

    def scan(
        self, count_id: UUID, label: str, box: int = 0, login: str = "archivist", key: UUID | None = None
    ) -> Outcome:
        """Scan a label in a box; ``key``: sent again under the same id."""
        scan = Scan(key or uuid4(), self.boxes[box], label, label)
        return self.stock.counting.scan(self.who[login], count_id, [scan])[0]

    def close(self, count_id: UUID, login: str = "archivist") -> StocktakingView:
        self.stock.counting.close(self.who[login], count_id)
        return self.stock.reports.show(self.who[login], count_id)

    def place(self, copy: UUID, box: int = 0) -> None:
        self.shelving.placing.place(self.who["archivist"], copy, self.boxes[box])

    def hand(self, record: UUID, copy: UUID) -> None:
        mine = self.shelving.copies.of(self.who["archivist"], record)
        version = next(each.copy.version for each in mine if each.copy.id == copy)
        self.shelving.copies.hand(self.who["archivist"], copy, "archivist", version)

    def missing(self, record: UUID, copy: UUID | None = None, login: str = "archivist") -> UUID:
        return self.blocks.block(self.who[login], record, BlockKind.MISSING, "not on the shelf", copy)

    def open_ones(self, record: UUID) -> list[BlockKind]:
        with self.db.reading() as session:
            return [row.kind for row in self.blocks.standing(session, [record]).get(record, ())]


@contextmanager
def a_stock_house(folder: Path) -> Iterator[House]:
    """Yield the house; its store room ``1`` has a shelf with two boxes, ``1-1-1-1`` and ``1-1-1-2``."""
    db = a_database(folder)
    log, clock, vault = RememberingLog(), FixedClock(), MemoryVault()
    who: dict[str, Identity] = {}
    with db.writing() as work:
        session = work.session
        records.a_house(session)
        fonds = records.a_fonds(session, "F")
        category = records.a_category(session, fonds, "C")
        people.distributed_to(session, 4)
        for login, role in (("archivist", Role.ARCHIVIST), ("custodian", Role.STAFF), ("staff", Role.STAFF)):
            person = people.a_person(session, login, roles=[role], clearance=1 if login == "staff" else 4)
            if login == "custodian":
                people.is_custodian(session, person, 1)
            else:
                people.grants(session, person, fonds=fonds.id)
            who[login] = Identity(login, person.id, frozenset({role}))
        work.commit()
    guard = Guard(db, log, clock, "Asia/Shanghai")
    shelving = Shelving(db, guard, log, clock)
    add, archivist = shelving.tree.add, who["archivist"]
    room = add(archivist, ShelfKind.ROOM, "1", PlaceFacts({"zh_CN": "库房"}))
    cabinet = add(archivist, ShelfKind.CABINET, "1", PlaceFacts(), room)
    shelf = add(archivist, ShelfKind.SHELF, "1", PlaceFacts(capacity=5), cabinet)
    boxes = [add(archivist, ShelfKind.BOX, code, PlaceFacts(capacity=50), shelf) for code in ("1", "2")]
    blocks = Blocks(db, guard, vault, log, clock)
    stock = StocktakingService(db, guard, log, clock, blocks, shelving.placing)
    yield House(db, blocks, shelving, log, vault, who, stock, shelf, (boxes[0], boxes[1]), category)
    db.close()
