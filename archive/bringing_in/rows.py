"""From the rows of a spreadsheet to descriptions, each checked by the rules of cataloguing; nothing is written here."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.cataloguing import describing
from archive.cataloguing.describing import Draft
from archive.closing import is_closed
from archive.errors import Fault, InvalidInput
from archive.identity import Identity, Role
from archive.model import Category, Department, Level, Medium, Place
from archive.policy.condition import holds
from archive.policy.guard import Guard
from archive.policy.rules import Act, condition
from archive.spelling import whole_of

PLAIN = (
    "title", "drawn_up", "responsible", "level", "place", "department", "keywords", "notes", "pages", "medium",
    "importance", "file",
)  # fmt: skip
"""What a column may be, beside the category's own fields (``f.`` before their names) and nothing (``""``)."""

OWN = "f."
JOINED: Mapping[str, str] = {"notes": "\n", "keywords": ";", "file": ";"}
"""What several columns may be at once, and what then stands between their cells."""

MEDIA: Mapping[str, Medium] = {
    "electronic": Medium.ELECTRONIC, "电子": Medium.ELECTRONIC, "電子": Medium.ELECTRONIC,
    "paper": Medium.PAPER, "纸质": Medium.PAPER, "紙質": Medium.PAPER, "纸": Medium.PAPER, "紙本": Medium.PAPER,
    "both": Medium.BOTH, "paper and electronic": Medium.BOTH, "电子和纸质": Medium.BOTH, "纸质和电子": Medium.BOTH,
    "電子與紙本": Medium.BOTH, "紙本與電子": Medium.BOTH, "双套": Medium.BOTH, "雙套": Medium.BOTH,
}  # fmt: skip

IMPORTANCE: Mapping[str, int] = {
    "1": 1, "ordinary": 1, "一般": 1, "普通": 1,
    "2": 2, "important": 2, "重要": 2,
    "3": 3, "essential": 3, "关键": 3, "關鍵": 3,
}  # fmt: skip

TITLE_HEADERS = (
    "题名", "題名", "标题", "標題", "名称", "名稱", "文件题名", "案卷题名", "案卷題名", "档案名称", "檔案名稱",
    "文件名称", "文件標題", "案名", "案由", "件名", "title", "subject",
)  # fmt: skip
"""What the column of titles is called."""

TITLES = 3
"""Lines of one cell above the headers that are passed over."""

_BETWEEN = re.compile(r"[;；\n|]+")
_BETWEEN_WORDS = re.compile(r"[,，、;；\n]+")


@dataclass(frozen=True)
class Row:
    """A row that holds something. ``number`` is the sheet's own, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """What a row comes to: a draft, and no faults, or what is wrong with it.

    ``same_as`` is an earlier row that says the same; ``files`` are the names of its files.
    """

    row: Row
    draft: Draft
    faults: tuple[Fault, ...]
    same_as: int | None
    files: tuple[str, ...]


@dataclass
class _Words:
    """What cells may name: levels, departments and places by what people write.

    Departments that bear one name are told apart by their codes.
    """

    levels: Mapping[str, int]
    departments: Mapping[str, Mapping[str, UUID]]
    places: Mapping[str, UUID]
    own_department: UUID | None


def rows_of(table: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], list[Row]]:
    """Return the headers, and the rows below them that hold something.

    A list often has its own name above its headers: lines of one cell at the top, before rows of several, are passed
    over, but for a cell that is the header of titles, which every list has.
    """
    held = [Row(at, tuple(cells)) for at, cells in enumerate(table, 1) if any(cells)]
    wide = [sum(map(bool, row.cells)) > 1 for row in held[: TITLES + 2]]
    head = wide.index(True) if any(wide) else 0
    passed = {cell.strip().casefold() for row in held[:head] for cell in row.cells}
    if not all(wide[head : head + 2]) or not passed.isdisjoint(TITLE_HEADERS):
        head = 0
    return (held[head].cells, held[head + 1 :]) if held else ((), [])


def check_columns(columns: Sequence[str], category: Category) -> None:
    """Refuse columns that are nothing known, are the same as another, or leave out the title.

    Raises:
        InvalidInput: names each at fault.
    """
    known = {*PLAIN, *(OWN + each.name for each in describing.definitions(category)), ""}
    faults = [Fault("columns", "unknown_value", {"value": name[:40]}) for name in columns if name not in known]
    taken = [name for name in columns if name and name not in JOINED]
    twice = dict.fromkeys(name for name in taken if taken.count(name) > 1)
    faults += [Fault(name.removeprefix(OWN), "repeated") for name in twice]
    if "title" not in columns:
        faults.append(Fault("title", "column_needed"))
    if faults:
        raise InvalidInput(*faults)


def check_rows(
    session: Session, guard: Guard, identity: Identity, category: Category, columns: Sequence[str], rows: Sequence[Row]
) -> list[Checked]:
    """Check each row as it would be checked when it is catalogued now by ``identity``."""
    reach = guard.reach(session, identity)
    allowed = condition(Act.CREATE, reach)
    values = [_values(columns, row.cells) for row in rows]
    own = next(iter(reach.departments)) if len(reach.departments) == 1 and Role.ARCHIVIST not in reach.roles else None
    words = _words(session, category, [each.get("place", "") for each in values], own, guard.day())
    read = [_draft(each, category, words) for each in values]
    catalogue = describing.Catalogue(session, guard.day(), [draft for draft, _ in read])
    first: dict[tuple[tuple[str, str], ...], int] = {}
    checked = []
    for row, each, (draft, found) in zip(rows, values, read, strict=True):
        faults = list(found)
        try:
            facts = describing.describe(catalogue, draft).facts(identity)
        except InvalidInput as invalid:
            faults += invalid.faults
        else:
            if not faults and not holds(allowed, facts):
                faults.append(Fault("row", "not_yours"))
        said = tuple(sorted((name, text) for name, text in each.items() if name != "file"))
        before = first.setdefault(said, row.number)
        twice = None if before == row.number else before
        checked.append(Checked(row, draft, tuple(faults), twice, files_of(columns, row)))
    return checked


def files_of(columns: Sequence[str], row: Row) -> tuple[str, ...]:
    """Return the names of the files that a row names."""
    names = _BETWEEN.split(_values(columns, row.cells).get("file", ""))
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _values(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, cell in zip(columns, cells, strict=False):
        if name and cell:
            values[name] = values[name] + JOINED[name] + cell if name in values and name in JOINED else cell
    return values


def _words(session: Session, category: Category, places: Sequence[str], own: UUID | None, day: date) -> _Words:
    levels: dict[str, int] = {}
    for level in session.scalars(select(Level)):
        called = [str(level.rank), *map(_folded, [level.symbol, *level.names.values()])]
        levels |= dict.fromkeys(called, level.rank)
    paths = {_path(text) for text in places if text}
    known = select(Place.path, Place.id).where(Place.fonds_id == category.fonds_id)
    found: dict[str, UUID] = {}
    some = sorted(paths)
    for start in range(0, len(some), 500):
        rows = session.execute(known.where(Place.path.in_(some[start : start + 500])))
        found |= {row.path: row.id for row in rows}
    return _Words(levels, _departments(session, day), found, own)


def _departments(session: Session, day: date) -> Mapping[str, Mapping[str, UUID]]:
    """Return departments by what they are called: a code goes before a name, an open one before a closed one."""
    rows = sorted(session.scalars(select(Department)), key=lambda row: row.code)
    coded: dict[str, dict[str, UUID]] = defaultdict(dict)
    still: dict[str, dict[str, UUID]] = defaultdict(dict)
    closed: dict[str, dict[str, UUID]] = defaultdict(dict)
    for row in rows:
        coded[_folded(row.code)][row.code] = row.id
        for name in row.names.values():
            (closed if is_closed(row.until, day) else still)[_folded(name)][row.code] = row.id
    return closed | still | coded


def _draft(values: Mapping[str, str], category: Category, words: _Words) -> tuple[Draft, list[Fault]]:
    faults: list[Fault] = []

    def looked_up(name: str, known: Mapping[str, Any], key: Callable[[str], str]) -> Any:
        text = values.get(name)
        if not text:
            return None
        found = known.get(key(text))
        if found is None:
            faults.append(Fault(name, "unknown_value", {"value": text[:40]}))
        return found

    draft = Draft(
        fonds_id=category.fonds_id,
        category_id=category.id,
        title=values.get("title", ""),
        drawn_up=values.get("drawn_up"),
        responsible=values.get("responsible"),
        notes=values.get("notes"),
        level_rank=looked_up("level", words.levels, _level),
        place_id=looked_up("place", words.places, _path),
        department_id=_department(values.get("department", ""), words, faults),
        medium=looked_up("medium", MEDIA, _folded) or Medium.ELECTRONIC,
        importance=looked_up("importance", IMPORTANCE, _folded),
        pages=_pages(values.get("pages", ""), faults),
        keywords=tuple(
            dict.fromkeys(word.strip() for word in _BETWEEN_WORDS.split(values.get("keywords", "")) if word.strip())
        ),
        fields={name.removeprefix(OWN): text for name, text in values.items() if name.startswith(OWN)},
    )
    return draft, faults


def _department(text: str, words: _Words, faults: list[Fault]) -> UUID | None:
    if not text:
        return words.own_department
    found = words.departments.get(_folded(text), {})
    if len(found) == 1:
        return next(iter(found.values()))
    said: dict[str, Any] = {"value": text[:40]}
    if found:
        faults.append(Fault("department", "several_so_called", said | {"codes": ", ".join(found)}))
    else:
        faults.append(Fault("department", "unknown_value", said))
    return None


def _pages(text: str, faults: list[Fault]) -> int | None:
    plain = text.strip()
    if not plain:
        return None
    if (number := whole_of(plain, 9_999_999)) is None:
        faults.append(Fault("pages", "not_a_number", {"value": plain[:40]}))
    return number


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _level(text: str) -> str:
    """Return a level's own name: the mark 商业秘密·机密 begins with the kind of secrecy."""
    return _folded(text.rpartition("·")[2])


def _path(text: str) -> str:
    return text.strip().partition(" ")[0].strip("/") + "/"
