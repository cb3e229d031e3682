"""The files that rows of a spreadsheet name: which row's record each belongs to, told both ways."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
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
        """Whether a file of this name may be meant: whatever the case, with or without its ending.

        Where both tell folders, those must agree from the last one up, but for the uppermost one of the file: that is
        the folder that was chosen, which a list seldom names.
        """
        own, other = _key(self.name), _key(name)
        if own not in {other, _ENDING.sub("", other)} and other != _ENDING.sub("", own):
            return False
        named, there = len(_folders(self.name)), len(_folders(name))
        return not named or not there or self.agrees(name) >= min(named, max(1, there - 1))

    def agrees(self, name: str) -> int:
        """How many folders agree with those of a file's name, from the last one up."""
        pairs = zip(reversed(_folders(self.name)), reversed(_folders(name)), strict=False)
        return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))

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
    """Say which file goes to which records, and what is left over on either side.

    What may be meant by rows of several folders, or lies in several under the name of one row, is left over.
    """
    lying: _Lying = defaultdict(list)
    for each in files:
        for key in _keys(each.name):
            lying[key, _folder(each.name)].append(each)
            lying[key, None].append(each)
    fitting = {name: _nearest(lying, name) for name in names}
    # A record keeps a file under its name alone: two of one name, out of two folders, would be taken for one.
    sources: dict[tuple[int, str], set[tuple[str, ...]]] = defaultdict(set)
    for name, found in fitting.items():
        for each in found:
            sources[each.row, _key(each.name)].add(_folders(name))
    fitting = {
        name: [each for each in found if len(sources[each.row, _key(each.name)]) == 1]
        for name, found in fitting.items()
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


_Lying = dict[tuple[str, str | None], list[Wanted]]
"""Wanted files by key and the folder they lie in ("": none is told; None: in any)."""


def _nearest(lying: _Lying, name: str) -> Sequence[Wanted]:
    """Return what a file may be, of which most folders agree; nothing if that lies in several folders."""
    at: tuple[str | None, ...] = (folder, "") if (folder := _folder(name)) else (None,)
    found = [each for key in _keys(name) for place in at for each in lying.get((key, place), ()) if each.fits(name)]
    most = max((each.agrees(name) for each in found), default=0)
    near = [each for each in found if each.agrees(name) == most]
    return near if len({_folders(each.name) for each in near}) == 1 else ()


def _base(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]


def _folders(name: str) -> tuple[str, ...]:
    """Return the folders of a name, the uppermost first, as they are compared."""
    return tuple(_folded(each) for each in re.split(r"[/\\]", name)[:-1] if each not in {"", "."})


def _folder(name: str) -> str:
    return next(reversed(_folders(name)), "")


def _keys(name: str) -> Sequence[str]:
    """Return under which keys a file is looked for: with its ending, and without."""
    key = _key(name)
    return list(dict.fromkeys((key, _ENDING.sub("", key))))


def _key(name: str) -> str:
    return _folded(_base(name))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
