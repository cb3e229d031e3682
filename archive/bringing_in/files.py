"""The files that rows of a spreadsheet name: which row's record each belongs to, told both ways."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from archive.bringing_in.rows import files_of
from archive.bringing_in.sheets import BringingIn
from archive.database import Database
from archive.identity import Identity
from archive.model import File

_ENDING = re.compile(r"\.[a-z0-9]{1,5}$")


@dataclass(frozen=True)
class Wanted:
    """A file that a row names. ``there`` are the names of files its record has already."""

    row: int
    name: str
    record_id: UUID
    there: frozenset[str]

    def fits(self, name: str) -> bool:
        """Whether a file of this name is meant: whatever the case, with or without its ending."""
        own, other = _key(self.name), _key(name)
        return own in {other, _ENDING.sub("", other)} or other == _ENDING.sub("", own)

    @property
    def came(self) -> bool:
        """Whether its record has it already."""
        return any(self.fits(name) for name in self.there)


@dataclass(frozen=True)
class Matched:
    """Files by name with the records they still go to; names that no row knows; wanted files that are not among them.

    ``came`` are files of these whose records have them already.
    """

    records: Mapping[str, Sequence[UUID]]
    unknown: Sequence[str]
    missing: Sequence[Wanted]
    came: Sequence[str]


def wanted(db: Database, bringing: BringingIn, identity: Identity, sheet_id: UUID) -> list[Wanted]:
    """Return the files that the rows of a person's own spreadsheet name, as far as those are in.

    Raises:
        NotFound: it is not this person's.
    """
    sheet = bringing.open(identity, sheet_id)
    there: dict[UUID, set[str]] = {}
    ids = list(sheet.brought.values())
    with db.reading() as session:
        for start in range(0, len(ids), 500):
            known = select(File.record_id, File.name).where(
                File.record_id.in_(ids[start : start + 500]), File.content_id.is_not(None)
            )
            for record, name in session.execute(known):
                there.setdefault(record, set()).add(name)
    return [
        Wanted(row.number, name, key, frozenset(there.get(key, ())))
        for row in sheet.rows
        if (key := sheet.brought.get(row.number))
        for name in files_of(sheet.columns, row)
    ]


def match(files: Sequence[Wanted], names: Sequence[str]) -> Matched:
    """Say which file goes to which records, and what is left over on either side."""
    by_key: dict[str, list[Wanted]] = {}
    for each in files:
        for key in {_key(each.name), _ENDING.sub("", _key(each.name))}:
            by_key.setdefault(key, []).append(each)
    fitting = {
        name: [
            each
            for key in dict.fromkeys((_key(name), _ENDING.sub("", _key(name))))
            for each in by_key.get(key, ())
            if each.fits(name)
        ]
        for name in names
    }
    met = {(each.row, each.name) for found in fitting.values() for each in found}
    open_ = {
        name: list(dict.fromkeys(each.record_id for each in found if _base(name) not in each.there))
        for name, found in fitting.items()
    }
    return Matched(
        {name: records for name, records in open_.items() if records},
        [name for name, found in fitting.items() if not found],
        [each for each in files if (each.row, each.name) not in met and not each.came],
        [name for name, found in fitting.items() if found and not open_[name]],
    )


def _base(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", _base(name)).strip().casefold()
