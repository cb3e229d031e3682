"""Texts derived at a lower level: the titles that readers of that level will see, one of each record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from archive.errors import Fault
from archive.model import Record

MOST_DERIVED = 100
"""Records of one review that derives texts: each has a title that a person reads and decides on."""

LONGEST_TITLE = 500
_MOST_TOLD = 10


@dataclass(frozen=True)
class ToTitle:
    """Filed records that a review may derive texts from, by number, at most ``MOST_DERIVED``.

    ``busy``: how many were left out as they are under review; ``behind``: how many more than one review takes.
    """

    records: Sequence[Record]
    busy: int
    behind: int


def titles_of(ids: Sequence[UUID], title: str, titles: Mapping[UUID, str]) -> Mapping[UUID, str]:
    """Return the title of each record, stripped; ``title`` is that of a single one."""
    found = {key: titles.get(key, "").strip() for key in ids}
    if len(ids) == 1 and title.strip():
        found[ids[0]] = title.strip()
    return found


def title_faults(records: Sequence[Record], titles: Mapping[UUID, str]) -> list[Fault]:
    """Return what is wrong with the titles of derived texts: each record needs one, and none is too long."""
    lacking = [each for each in records if not titles[each.id]]
    long = [each for each in records if len(titles[each.id]) > LONGEST_TITLE]
    if len(records) == 1:
        length = len(titles[records[0].id])
        faults = [Fault("title", "required")] if lacking else []
        return faults + ([Fault("title", "too_long", {"limit": LONGEST_TITLE, "length": length})] if long else [])
    faults = []
    if len(records) > MOST_DERIVED:
        faults.append(Fault("records", "out_of_range", {"low": 1, "high": MOST_DERIVED}))
    if lacking:
        faults.append(Fault("titles", "derived_titles_lacking", {"count": len(lacking), "numbers": _numbers(lacking)}))
    if long:
        faults.append(Fault("titles", "derived_titles_too_long", {"limit": LONGEST_TITLE, "numbers": _numbers(long)}))
    return faults


def asked_titles(titles: Mapping[UUID, str]) -> Mapping[str, Any]:
    """Return titles as a request keeps them."""
    if len(titles) == 1:
        return {"title": next(iter(titles.values())), "titles": {}}
    return {"title": "", "titles": {str(key): title for key, title in titles.items()}}


def kept_title(what: Mapping[str, Any], record: UUID) -> str:
    """Return the title of one record's derived text from what a request keeps."""
    return str(what.get("titles", {}).get(str(record)) or what["title"])


def _numbers(records: Sequence[Record]) -> str:
    told = [each.archive_number or each.registration_number or "—" for each in records[:_MOST_TOLD]]
    return ", ".join(told) + (" …" if len(records) > len(told) else "")
