"""A house with levels and a fonds that has a shipped scheme, and records to be filed in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from archive.database import Database
from archive.house.levels import choose
from archive.ids import new_id
from archive.model import Fonds, House, Record, RecordKind
from archive.scheme.install import install
from archive.scheme.shipped import scheme
from tests.factories.databases import a_database

NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


@dataclass
class SchemeHouse:
    """A database, its fonds, and the ids of its categories by code."""

    db: Database
    fonds: UUID
    categories: Mapping[str, UUID]


def scheme_house(folder: Path, code: str = "property", naming: str = "grades") -> SchemeHouse:
    db = a_database(folder)
    with db.writing() as work:
        work.session.add(House(names={"zh_CN": "甲物业"}, created_at=NOW))
        choose(work.session, naming)
        fonds = Fonds(id=new_id(), code="Z109", names={"zh_CN": "甲物业"})
        work.session.add(fonds)
        work.session.flush()
        ids = install(work.session, fonds, scheme(code), now=NOW)
        work.commit()
    return SchemeHouse(db, fonds.id, ids)


def paper(house: SchemeHouse, category: str = "WYYZ", **changes: Any) -> Record:
    """Make a provisional record that waits to be filed."""
    values: dict[str, Any] = {
        "id": new_id(),
        "fonds_id": house.fonds,
        "kind": RecordKind.ITEM,
        "category_id": house.categories[category],
        "category_version": 1,
        "level_rank": 1,
        "title": "供水管道图",
        "drawn_up": "2024-03",
        "drawn_from": date(2024, 3, 1),
        "drawn_to": date(2024, 3, 31),
        "term": "Y",
        "created_at": NOW,
        **changes,
    }
    return Record(**values)
